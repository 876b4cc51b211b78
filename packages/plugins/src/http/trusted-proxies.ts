/**
 * Finds settings of frameworks that trust every proxy for the address of a client.
 *
 * A framework that trusts every proxy takes the first address of `X-Forwarded-For`, which the client writes. Then a limit by address has no
 * effect, because a new address makes a new key. So this is an error, and not only a warning that may not be read.
 */

import { BlockList, isIP } from 'node:net'
import { InvalidOptionError } from '@larder/core'

/** Peers that there is no reason to trust (RFC 5737, RFC 3849), further away than any number of proxies. */
const STRANGERS = ['203.0.113.99', '2001:db8::99'] as const
const HOPS = 40

/** Whether a setting of proxies trusts every address: `true`, ranges that contain all addresses, or a function that always agrees. */
export function trustsEverybody(trust: unknown): boolean {
  if (trust === true) return true
  if (typeof trust === 'number') return trust > HOPS
  if (typeof trust === 'function') return STRANGERS.some((stranger) => asked(trust, stranger))
  const ranges = Array.isArray(trust) ? trust : typeof trust === 'string' ? trust.split(',') : []
  return ranges.some((range) => typeof range === 'string' && hasStranger(range.trim()))
}

function asked(trust: unknown, stranger: string): boolean {
  try {
    return Boolean((trust as (address: string, hop: number) => unknown)(stranger, HOPS))
  } catch {
    return false
  }
}

/** For ranges such as `10.0.0.0/8` and `10.0.0.0/255.0.0.0`; a name (`loopback`) is none that contains strangers. */
function hasStranger(range: string): boolean {
  const [address = '', size = ''] = range.split('/')
  const bits = isIP(size) === 4 ? bitsOf(size) : /^\d{1,3}$/.test(size) ? Number(size) : undefined
  if (isIP(address) === 0 || bits === undefined) return false
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  try {
    list.addSubnet(address, bits, family)
  } catch {
    return false
  }
  return list.check(STRANGERS[family === 'ipv6' ? 1 : 0], family)
}

/** How many bits of an address a mask leaves: 8 of `255.0.0.0`. */
function bitsOf(mask: string): number {
  const binary = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
  return `${binary.join('')}0`.indexOf('0')
}

/** The error of a limit by address in a framework that trusts every proxy. */
export function trustError(where: string, setting: string): InvalidOptionError {
  return new InvalidOptionError({
    option: `${where}.key`,
    expected:
      `whom clients cannot choose themselves, but ${setting} trusts every proxy, so that any client can make up its address. ` +
      'Say how many proxies there are or which, use clientAddress, or set trustsAnyProxy: true',
    received: 'address',
    described: 'the address of the client',
  })
}

/**
 * Hides the addresses of requests while clients choose them: a key that reads one is an error then. The first time is told of as a
 * warning of the process as well, because an answer of 500 is seen by the client, and not always by anybody else.
 */
export class HiddenAddresses {
  readonly #where: string
  readonly #setting: string
  #isTold = false

  /** `where` is the limit, and `setting` what trusts every proxy, both for messages. */
  constructor(where: string, setting: string) {
    this.#where = where
    this.#setting = setting
  }

  /** Returns the same request, without its address. */
  of<Request extends object>(request: Request): Request {
    const refuse = { get: (): never => this.#refuse() }
    return Object.create(request, { ip: refuse, ips: refuse }) as Request
  }

  #refuse(): never {
    const error = trustError(this.#where, this.#setting)
    if (!this.#isTold) {
      this.#isTold = true
      const message = `${error.message} Until then, each request under this limit is answered with an error.`
      process.emitWarning(message, { type: 'LarderWarning', code: 'LARDER_TRUST_PROXY' })
    }
    throw error
  }
}

/** Whether a key is made of the address, as far as can be told by calling its function with a request that agrees to everything. */
export function readsAddress(key: unknown): boolean {
  if (typeof key !== 'function') return key === undefined || key === 'address'
  let isRead = false
  const anything: object = new Proxy(() => undefined, {
    get(_, name) {
      if (name === 'ip' || name === 'ips') isRead = true
      if (name === 'then') return undefined
      return name === Symbol.toPrimitive ? () => '' : anything
    },
    apply: () => anything,
  })
  try {
    const result: unknown = key(anything)
    if (result instanceof Promise) result.catch(() => undefined)
  } catch {
    // It needs a real request. If it had read the address by then, that is known.
  }
  return isRead
}

/** Whether a key of a limit, or of one of its limits, is made of the address, as far as can be told. */
export function readsAddresses(options: {
  readonly key?: unknown
  readonly limits?: readonly { readonly key?: unknown }[] | undefined
}): boolean {
  const keys = options.limits?.map(({ key }) => key) ?? [options.key]
  return keys.some(readsAddress)
}
