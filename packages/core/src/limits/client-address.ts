/**
 * The address of a client behind proxies.
 *
 * Each proxy appends whom it was called by to a header, and sends on what was in there before, which anybody may have made
 * up. So a header is worth as much as its last entries: those that were appended by proxies one trusts. They are counted
 * from the end, and what stands before them is not even read.
 */

import { KeyError } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertInteger, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import { parseIp } from './ip-address.ts'

/** What is asked of a request; Node's, and those of most frameworks, have it. */
export interface RequestLike {
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { get(name: string): string | null }
  readonly socket?: { readonly remoteAddress?: string | undefined } | null | undefined
}

export interface ClientAddressOptions {
  /**
   * How many proxies there are between the clients and this process, every one of them yours, and no way around them. 0: the
   * one who is connected is the client. 0 to 20.
   */
  readonly proxies: number
  /** The header that all of them append to. @default 'x-forwarded-for' */
  readonly header?: 'x-forwarded-for' | 'forwarded' | undefined
}

/** What holds when nobody says otherwise. */
export const CLIENT_ADDRESS_DEFAULTS = { header: 'x-forwarded-for' } as const
const WHERE = 'clientAddress'
const NAMES = optionNames<ClientAddressOptions>({ proxies: true, header: true })
const MOST_PROXIES = 20

/**
 * Returns the address of the client who made a request: the one that the outermost of your proxies was called by.
 *
 * With too large a number of proxies clients choose their address, with too small a number many clients are one.
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
  // From the outermost trusted proxy inwards: one that wrote no address (`unknown`) is itself the best there is to know.
  for (const entry of [...entries, socket?.remoteAddress]) {
    const address = bareAddress(entry)
    if (address !== undefined) return address
  }
  throw new KeyError('A request has no address: its connection is gone, or it never had one.')
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
  // Node writes names in lower case; others keep what was sent, and then a client may have sent one in another spelling.
  return Object.entries(headers)
    .filter(([other, value]) => other.toLowerCase() === name && value !== undefined)
    .map(([, value]) => textOf(value))
    .join(',')
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : ''
}

/** The last so many entries, in their order. */
function lastOf(text: string, count: number): readonly string[] {
  return text === '' ? [] : text.split(',').slice(-count)
}

/**
 * The `for` of the last so many entries of `Forwarded` (RFC 7239). Texts in quotes may hold commas, and a client may open
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

/** What `for` says in an entry. Others may say anything in quotes: a client chooses what its proxy quotes as `host`. */
function forOf(entry: string): string | undefined {
  for (const pair of pairsOf(entry)) {
    const at = pair.indexOf('=')
    if (pair.slice(0, Math.max(0, at)).trim().toLowerCase() === 'for') return pair.slice(at + 1)
  }
  return undefined
}

/** What stands between semicolons that are not in quotes. */
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

/** Without quotes, without a port (which RFC 7239 lets proxies make up), and the brackets that IPv6 has then. */
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
