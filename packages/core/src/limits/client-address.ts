/**
 * The address of a client behind proxies.
 *
 * Each proxy appends the address of its caller to a header, and forwards what the header contained before, which any client may
 * have invented. So only the last entries of a header can be trusted: those that were appended by trusted proxies. They are
 * counted from the end, and the entries before them are not even read.
 */

import { KeyError } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertInteger, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import { parseIp } from './ip-address.ts'

/** The part of a request that is used; requests of Node and of most frameworks have it. */
export interface RequestLike {
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { get(name: string): string | null }
  readonly socket?: { readonly remoteAddress?: string | undefined } | null | undefined
}

export interface ClientAddressOptions {
  /**
   * How many proxies there are between the clients and this process; all of them must be yours, and there must be no way around
   * them. 0: the connected peer is the client. 0 to 20.
   */
  readonly proxies: number
  /** The header that all of them append to. @default 'x-forwarded-for' */
  readonly header?: 'x-forwarded-for' | 'forwarded' | undefined
}

/** The defaults. */
export const CLIENT_ADDRESS_DEFAULTS = { header: 'x-forwarded-for' } as const
const WHERE = 'clientAddress'
const NAMES = optionNames<ClientAddressOptions>({ proxies: true, header: true })
const MOST_PROXIES = 20

/**
 * Returns the address of the client that made a request: the one that called the outermost of your proxies.
 *
 * If the number of proxies is too large, clients choose their address; if it is too small, many clients look like one.
 *
 * @throws InvalidOptionError; KeyError where neither the header nor the socket has an address, as after the client has gone
 * @example limiter.consume(ipKey(clientAddress(request, { proxies: 1 })))
 */
export function clientAddress(request: RequestLike, options: ClientAddressOptions): string {
  assertKnownOptions(options, NAMES, WHERE)
  const { proxies, header = CLIENT_ADDRESS_DEFAULTS.header } = options
  assertInteger(proxies, `${WHERE}.proxies`, { min: 0, max: MOST_PROXIES })
  assertOneOf(header, ['x-forwarded-for', 'forwarded'], `${WHERE}.header`)
  const { headers, socket } = requestParts(request)
  const text = proxies === 0 ? '' : headerOf(headers, header)
  const entries = header === 'forwarded' ? lastForwarded(text, proxies) : lastOf(text, proxies)
  // From the outermost trusted proxy inwards: where a proxy wrote no address (`unknown`), the proxy itself is the best known one.
  for (const entry of [...entries, socket?.remoteAddress]) {
    const address = bareAddress(entry)
    if (address !== undefined) return address
  }
  throw new KeyError('A request has no address: its connection is closed, or it never had one.')
}

function requestParts(request: unknown): RequestLike {
  const headers = (request as Partial<RequestLike> | null | undefined)?.headers
  if (typeof headers === 'object' && headers !== null) return request as RequestLike
  const expected = 'a request with headers and a socket'
  throw new InvalidOptionError({ option: `${WHERE}.request`, expected, received: request })
}

/** Several lines of one header are one list. */
function headerOf(headers: RequestLike['headers'], name: string): string {
  const { get } = headers as { get?: unknown }
  if (typeof get === 'function') return textOf(get.call(headers, name))
  // Node writes names in lower case; others keep the original, and then a client may have sent a header in another spelling.
  return Object.entries(headers)
    .filter(([other, value]) => other.toLowerCase() === name && value !== undefined)
    .map(([, value]) => textOf(value))
    .join(',')
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : ''
}

/** The last `count` entries, in their order. */
function lastOf(text: string, count: number): readonly string[] {
  return text === '' ? [] : text.split(',').slice(-count)
}

/**
 * The `for` of the last `count` entries of `Forwarded` (RFC 7239). Texts in quotes may hold commas, and a client may open
 * quotes that it never closes, so this reads from the end too: there the quotes are those of trusted proxies.
 */
function lastForwarded(text: string, count: number): readonly (string | undefined)[] {
  const entries: (string | undefined)[] = []
  let end = text.length
  let isQuoted = false
  for (let i = text.length - 1; i >= -1 && entries.length < count; i--) {
    if (text[i] === '"' && !isEscaped(text, i)) isQuoted = !isQuoted
    if (i >= 0 && (text[i] !== ',' || isQuoted)) continue
    entries.unshift(forOf(text.slice(i + 1, end)))
    end = i
  }
  return entries
}

/** True after an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let from = at
  while (text[from - 1] === '\\') from -= 1
  return (at - from) % 2 === 1
}

/** The value of `for` in an entry. Other parameters may contain anything in quotes: a client chooses what its proxy quotes as `host`. */
function forOf(entry: string): string | undefined {
  for (const pair of pairsOf(entry)) {
    const at = pair.indexOf('=')
    if (pair.slice(0, Math.max(0, at)).trim().toLowerCase() === 'for') return pair.slice(at + 1)
  }
  return undefined
}

/** The parts between semicolons that are not in quotes. */
function pairsOf(entry: string): readonly string[] {
  const pairs: string[] = []
  let start = 0
  let isQuoted = false
  for (let i = 0; i < entry.length; i++) {
    if (entry[i] === '"') isQuoted = !isQuoted
    else if (isQuoted && entry[i] === '\\') i += 1
    else if (!isQuoted && entry[i] === ';') {
      pairs.push(entry.slice(start, i))
      start = i + 1
    }
  }
  return [...pairs, entry.slice(start)]
}

/** Without quotes, without a port (which RFC 7239 lets proxies invent), and without the brackets of IPv6. */
function bareAddress(entry: string | undefined): string | undefined {
  if (typeof entry !== 'string') return undefined
  const text = unquoted(entry.trim())
  const inBrackets = /^\[([^\]]*)\](?::(?:\d+|_[\w.-]*))?$/.exec(text)?.[1]
  const beforePort = /^([^:]*):(?:\d+|_[\w.-]*)$/.exec(text)?.[1]
  const address = inBrackets ?? beforePort ?? text
  return parseIp(address) === undefined ? undefined : address
}

function unquoted(text: string): string {
  const isQuoted = text.length > 1 && text.startsWith('"') && text.endsWith('"')
  return isQuoted ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1').trim() : text
}
