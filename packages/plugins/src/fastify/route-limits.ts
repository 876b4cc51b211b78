/** Makes the guards of the plugin and of routes from their options, once for each. */

import { createHash } from 'node:crypto'
import {
  type CacheManager,
  InvalidOptionError,
  ipKey,
  type Limiter,
  type LimiterOptions,
} from '@larder/core'
import {
  assertBoolean,
  assertKnownOptions,
  assertOneOf,
  LIMITER_OPTION_NAMES,
} from '@larder/core/store'
import type { FastifyRequest } from 'fastify'
import { LimitGuard } from '../http/limit-guard.ts'
import { RATE_LIMIT_NAMES } from '../http/resolve-options.ts'
import { readsAddresses, trustError } from '../http/trusted-proxies.ts'
import type { FastifyGivenLimit, FastifyRateLimit, FastifyRouteLimit } from './limit-options.ts'

/** A guard, and when it is asked. */
export interface HookedGuard {
  readonly guard: LimitGuard<FastifyRequest>
  readonly hook: 'onRequest' | 'preHandler'
}

/** What a route says. */
export interface RouteGuard {
  /** Undefined where the route has no limit of its own. */
  readonly own: HookedGuard | undefined
}

export interface RouteLimitsParts {
  readonly caches: CacheManager | undefined
  /** True when clients choose their address, and `trustsAnyProxy` does not allow it. */
  readonly believesAnybody: boolean
}

const PLAIN: RouteGuard = { own: undefined }
const NAME_LENGTH = 30
const DIGEST_LENGTH = 16
const HOOKS = ['onRequest', 'preHandler']

export class RouteLimits {
  readonly #parts: RouteLimitsParts
  /** By the options of a route, and by the route, because several routes may share options. */
  readonly #guards = new WeakMap<object, Map<string, RouteGuard>>()

  constructor(parts: RouteLimitsParts) {
    this.#parts = parts
  }

  /** Returns the guard of a route. @throws InvalidOptionError */
  of(said: unknown, route: { readonly method: unknown; readonly url: string }): RouteGuard {
    if (said === undefined || said === false) return PLAIN
    const id = `${methodsOf(route.method)} ${route.url}`
    const where = `config.larder.rateLimit of ${id}`
    assertKnownOptions(said, [...FASTIFY_NAMES, 'global'], where)
    const known = this.#guards.get(said) ?? new Map<string, RouteGuard>()
    const guard = known.get(id) ?? this.#make(said as FastifyRouteLimit, { id, where })
    known.set(id, guard)
    this.#guards.set(said, known)
    return guard
  }

  /** Makes a guard. @throws InvalidOptionError */
  guard(said: FastifyRateLimit, where: string, routeName?: string): HookedGuard {
    assertKnownOptions(said, FASTIFY_NAMES, where)
    const { hook = 'onRequest' } = said
    assertOneOf(hook, HOOKS, `${where}.hook`)
    const given = isGiven(said) ? said : this.#withLimiter(said, where, routeName)
    const { hook: _, ...options } = given
    const addressKey = ({ ip }: FastifyRequest): string => ipKey(ip)
    const guard = new LimitGuard(options, { where, addressKey })
    if (this.#parts.believesAnybody && readsAddresses(options))
      throw trustError(where, 'trustProxy')
    return { guard, hook }
  }

  #make(said: FastifyRouteLimit, { id, where }: { id: string; where: string }): RouteGuard {
    const { global: isGlobal = true, ...limit } = said
    assertBoolean(isGlobal, `${where}.global`)
    const isOnlyGlobal = Object.keys(limit).length === 0
    const own = isOnlyGlobal ? undefined : this.guard(limit as FastifyRateLimit, where, nameOf(id))
    return { own }
  }

  /** Makes the limiter of some options. */
  #withLimiter(
    said: FastifyRateLimit,
    where: string,
    routeName: string | undefined,
  ): FastifyGivenLimit {
    const { caches } = this.#parts
    const [own, rest] = partition(said, LIMITER_OPTION_NAMES)
    if (caches === undefined) {
      const expected =
        'a limiter of caches.limiter(…), or caches among the options of the plugin so that it can make one'
      throw new InvalidOptionError({ option: `${where}.limiter`, expected, received: undefined })
    }
    // Routes with the same policies are limited apart, unless a name says otherwise.
    const named = routeName === undefined ? own : { name: routeName, ...own }
    const limiter: Limiter = caches.limiter(named as unknown as LimiterOptions)
    return { ...rest, limiter } as FastifyGivenLimit
  }
}

/** Whether the limit of the plugin counts a route too, from what the route says about its own. */
export function isCountedByAll(said: FastifyRouteLimit | false | undefined): boolean {
  return said !== false && said?.global !== false
}

const FASTIFY_NAMES = [...new Set([...RATE_LIMIT_NAMES, ...LIMITER_OPTION_NAMES, 'hook'])]

function isGiven(said: FastifyRateLimit): said is FastifyGivenLimit {
  return said.limiter !== undefined || said.limits !== undefined
}

function partition(
  options: object,
  names: readonly string[],
): readonly [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(options)
  const isNamed = ([name]: readonly [string, unknown]): boolean => names.includes(name)
  return [
    Object.fromEntries(entries.filter(isNamed)),
    Object.fromEntries(entries.filter((entry) => !isNamed(entry))),
  ]
}

/** HEAD is answered by the route of GET, and shares its limit. */
function methodsOf(method: unknown): string {
  return [method].flat().map(String).join('+').replace('HEAD', 'GET')
}

/** A name of the alphabet of limiters that is the same in all processes: `GET-users-id-…`. */
function nameOf(id: string): string {
  const words = id.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, NAME_LENGTH)
  const digest = createHash('sha256').update(id).digest('base64url').slice(0, DIGEST_LENGTH)
  return `${words}-${digest}`
}
