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

/** For ranges such as `10.0.0.0/8`; a mask (`10.0.0.0/255.0.0.0`) or a name (`loopback`) is not looked at. */
function hasStranger(range: string): boolean {
  const [address = '', bits = ''] = range.split('/')
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits)) return false
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  try {
    list.addSubnet(address, Number(bits), family)
  } catch {
    return false
  }
  return list.check(STRANGERS[family === 'ipv6' ? 1 : 0], family)
}

/** The error of a limit by address in a framework that trusts every proxy. */
export function trustError(where: string, setting: string): InvalidOptionError {
  return new InvalidOptionError({
    option: `${where}.key`,
    expected:
      `whom clients cannot choose themselves, but ${setting} trusts everybody, so that any client can make up its address. ` +
      'Say how many proxies there are or which, use clientAddress, or set trustsAnyProxy: true',
    received: 'address',
    described: 'the address of the client',
  })
}

/** The same request, for keys that must not be made of its address: that is an error when it is read. */
export function withoutAddress<Request extends object>(request: Request, error: Error): Request {
  const refuse = {
    get(): never {
      throw error
    },
  }
  return Object.create(request, { ip: refuse, ips: refuse }) as Request
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
