/**
 * Finds frameworks that believe anybody about the address of a client.
 *
 * A framework that trusts every proxy takes the first address of `X-Forwarded-For`, which the client writes. Who then limits by address
 * limits nobody, because a new address makes a new key. So this is an error, and not only a warning that nobody reads.
 */

import { InvalidOptionError } from '@larder/core'

/** A peer that nobody has a reason to trust (RFC 5737), further away than any number of proxies. */
const STRANGER = '203.0.113.99'
const HOPS = 40

/** Whether a setting of proxies trusts everybody: `true`, a range that contains all addresses, or a function that always agrees. */
export function trustsEverybody(trust: unknown): boolean {
  if (trust === true) return true
  if (typeof trust === 'number') return trust > HOPS
  if (typeof trust === 'function') return asked(trust as (address: string, hop: number) => unknown)
  const ranges = Array.isArray(trust) ? trust : typeof trust === 'string' ? trust.split(',') : []
  return ranges.some((range) => typeof range === 'string' && range.trim().endsWith('/0'))
}

function asked(trust: (address: string, hop: number) => unknown): boolean {
  try {
    return Boolean(trust(STRANGER, HOPS))
  } catch {
    return false
  }
}

/** The settings of an Express application that say whom it trusts; none of anything else. */
export function trustsInExpress(app: unknown): readonly unknown[] {
  const { get } = (app ?? {}) as { readonly get?: unknown }
  if (typeof get !== 'function') return []
  const settings = app as { get(name: string): unknown }
  return [settings.get('trust proxy'), settings.get('trust proxy fn')]
}

/** Fastify tells a plugin everything about its settings but this one, which it keeps under a symbol of its own. */
export function trustInFastify(app: object): unknown {
  const key = Object.getOwnPropertySymbols(app).find(
    ({ description }) => description === 'fastify.options',
  )
  const owner = app as Record<symbol, { readonly trustProxy?: unknown } | undefined>
  return key === undefined ? undefined : owner[key]?.trustProxy
}

/** The error of a limit by address under a framework that trusts everybody. */
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
    // It wanted a real request, and has told enough or nothing.
  }
  return isRead
}
