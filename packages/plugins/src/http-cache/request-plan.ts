/**
 * Whether a request may be answered from the cache, and under which key.
 *
 * The rule: a handler sees only what the key covers. So a request that has anything else on which a response could depend, and
 * that cannot be taken from it, goes to the handler as if there were no cache.
 */

import type { Forward } from './cache-status.ts'
import { CONDITIONAL_FIELDS } from './conditional.ts'
import { type Directives, readDirectives } from './directives.ts'
import type { Exchange } from './exchange.ts'
import { type Range, readRange } from './parts.ts'
import { placeText } from './place.ts'
import type { ResolvedHttpCache } from './resolve-http-cache.ts'
import { pathOf, readTarget } from './uri.ts'

/** A request that may be answered from the cache. */
export interface CachedPlan {
  readonly kind: 'cached'
  readonly path: string
  /** All of the key but what `Vary` says. */
  readonly key: readonly string[]
  /** What the handler sees of the request's fields. */
  readonly fields: ReadonlyMap<string, string>
  /** The values of fields by which responses may be told apart. */
  readonly varying: ReadonlyMap<string, string>
  readonly isHead: boolean
  /** Part of what is kept is asked for. */
  readonly range: Range | undefined
  readonly isAuthorized: boolean
  /** What the request asks of caches, where that is honoured. */
  readonly directives: Directives | undefined
}

export type RequestPlan =
  | CachedPlan
  /** The handler answers by itself. */
  | { readonly kind: 'bypass'; readonly fwd: Forward; readonly detail?: string }
  /** It changes something: what is stored for its target ends. */
  | { readonly kind: 'unsafe'; readonly path: string | undefined }

const OF_THE_RESOURCE = ['if-match', 'if-unmodified-since'] as const
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** A longer value of a field makes a request that is not cached: nobody needs it, and keys come from strangers. */
const MOST_VALUE = 512
const MOST_TARGET = 4_096

export function planOf(exchange: Exchange, options: ResolvedHttpCache<never>): RequestPlan {
  const { method } = exchange
  if (!SAFE.has(method)) return { kind: 'unsafe', path: pathOf(exchange.target) }
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'bypass', fwd: 'method' }
  const target = exchange.target.length > MOST_TARGET ? undefined : readTarget(exchange.target)
  if (target === undefined) return bypass('target')
  if (exchange.hasBody) return bypass('body')
  // They ask about the resource, and not about what a cache has of it (RFC 9111, 4.3.2).
  if (OF_THE_RESOURCE.some((name) => exchange.field(name) !== undefined)) return bypass('condition')
  const asked = exchange.field('range')
  const range = asked === undefined ? undefined : readRange(asked)
  if (asked !== undefined && (range === undefined || method === 'HEAD'))
    return { kind: 'bypass', fwd: 'partial' }
  const isAuthorized = exchange.field('authorization') !== undefined
  if (isAuthorized && !options.authorized) return bypass('authorization')
  if (target.query.some(([name]) => !options.query.has(name))) return bypass('query')
  const cookie = exchange.field('cookie')
  if (cookie !== undefined && options.cookies.length === 0) return bypass('cookie')
  const cookies = cookie === undefined ? '' : keyedCookies(cookie, options.cookies)
  const varying = varyingFields(exchange, options.vary)
  // No handler sees it, unless `vary` has it; what stands before the cache may have chosen an application or a tenant by it.
  // Without the port: processes of one application have several.
  const host = exchange.place.host.toLowerCase().replace(/:\d*$/, '')
  const place = placeText(exchange.place)
  const isLong = cookies === undefined || varying === undefined || host.length > MOST_VALUE
  if (isLong || place.length > MOST_VALUE) return bypass('value')
  if (hidesAny(exchange, options)) return bypass('hidden')
  const key = ['GET', host, exchange.target, exchange.seen, cookies, place]
  const fields = seenFields(exchange, options, { varying, cookies, isAuthorized })
  const directives = options.honourRequest ? requestDirectives(exchange) : undefined
  const common = { path: target.path, key, fields, varying, isAuthorized, directives, range }
  return { kind: 'cached', isHead: method === 'HEAD', ...common }
}

function bypass(detail: string): RequestPlan {
  return { kind: 'bypass', fwd: 'bypass', detail }
}

/**
 * Whether a cache around this one hides a field that this one tells responses apart by. Something before both may have read it. The handler must
 * not: what it makes is kept by the other one, too.
 */
function hidesAny(exchange: Exchange, { vary, cookies }: ResolvedHttpCache<never>): boolean {
  const { place } = exchange
  if (place.depth === 0) return false
  const keyed = (field: string | undefined): string | undefined =>
    keyedCookies(field ?? '', cookies)
  if (keyed(place.field('cookie')) !== keyed(exchange.field('cookie'))) return true
  return vary.some(
    (name) => normalized(place.field(name) ?? '') !== normalized(exchange.field(name) ?? ''),
  )
}

/** Each field with its value in one form; `undefined` where one is too long to be part of a key. */
function varyingFields(
  exchange: Exchange,
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>()
  for (const name of names) {
    const value = exchange.field(name)
    if (value === undefined) continue
    if (value.length > MOST_VALUE) return undefined
    found.set(name, normalized(value))
  }
  return found
}

/** Space that means nothing is taken away; RFC 9111, 4.1. */
function normalized(value: string): string {
  return value
    .split(',')
    .map((part) => part.trim().replaceAll(/[ \t]+/g, ' '))
    .join(', ')
}

/** The cookies that are keyed, as the handler sees them; `undefined` where they are too long. */
function keyedCookies(field: string, names: readonly string[]): string | undefined {
  const kept: string[] = []
  for (const pair of field.split(';')) {
    const text = pair.trim()
    const name = text.split('=', 1)[0]?.trim() ?? ''
    if (names.includes(name)) kept.push(text)
  }
  const cookies = kept.join('; ')
  return cookies.length > MOST_VALUE ? undefined : cookies
}

function seenFields(
  exchange: Exchange,
  options: ResolvedHttpCache<never>,
  {
    varying,
    cookies,
    isAuthorized,
  }: {
    readonly varying: ReadonlyMap<string, string>
    readonly cookies: string
    readonly isAuthorized: boolean
  },
): ReadonlyMap<string, string> {
  const fields = new Map(varying)
  for (const name of options.pass) {
    const value = exchange.field(name)
    if (value !== undefined) fields.set(name, value)
  }
  if (cookies !== '') fields.set('cookie', cookies)
  const authorization = isAuthorized ? exchange.field('authorization') : undefined
  if (authorization !== undefined) fields.set('authorization', authorization)
  for (const name of CONDITIONAL_FIELDS) fields.delete(name)
  return fields
}

/** `Pragma: no-cache` counts where there is no `Cache-Control` (RFC 9111, 5.4). */
function requestDirectives(exchange: Exchange): Directives {
  const field = exchange.field('cache-control')
  if (field !== undefined) return readDirectives([field])
  const pragma = exchange.field('pragma')
  return readDirectives(pragma?.toLowerCase().includes('no-cache') ? ['no-cache'] : [])
}
