/** A response as it is kept, and whether it may be. */

import { etagOf } from './conditional.ts'
import type { ResponseHead, WholeResponse } from './exchange.ts'
import { areSound, type FieldLines, fieldValue, linesOf, membersOf, storable } from './fields.ts'
import type { UncachedReason } from './http-cache-options.ts'
import { governing, lifetimeOf } from './lifetime.ts'
import { noncesOf, showsNonce } from './nonces.ts'
import type { CachedPlan } from './request-plan.ts'
import type { ResolvedHttpCache } from './resolve-http-cache.ts'
import { type Validators, validatorsOf } from './revalidation.ts'
import { readStrings } from './structured-fields.ts'

/** A response in the cache. */
export interface StoredResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string | undefined
  readonly fields: FieldLines
  readonly body: Uint8Array
  /** When it was made, on the clock that all nodes have in common, ms since the epoch. */
  readonly at: number
  readonly freshMs: number
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  readonly initialAgeMs: number
  /** How long it is kept after all that, to be asked for again. */
  readonly revalidateMs: number
  readonly validators: Validators
  /** The fields of the request by which it is told apart, and their values, in the order of their names. */
  readonly vary: readonly (readonly [name: string, value: string])[]
  readonly tags: readonly string[]
}

/** Of these, others may be given the same response (RFC 9110, 15.1, without those that are partial or change something). */
const STATUSES = new Set([200, 203, 301, 308, 404, 410])
/** On these depend the fields and the coding that something before the cache makes for each request, and no page. */
const OF_OUTER = new Set(['accept-encoding', 'origin'])
/** By so much the clock that nodes have in common may differ from the store's, ms; whether something is fresh the store says. */
const TOLERANCE_MS = 500
/** RFC 9875: what a group may be. */
const MOST_GROUPS = 32
const MOST_GROUP_CHARS = 128

/** Why a response cannot be kept, as far as its head says; `undefined` where it can be. */
export function refusal(
  head: ResponseHead,
  plan: CachedPlan,
  options: ResolvedHttpCache<never>,
  nowMs: number,
): UncachedReason | undefined {
  const { status, reason, fields, outer } = head
  if (!STATUSES.has(status)) return 'status'
  const said = saidOf(head, options)
  const governs = governing(said, options.targets)
  const { directives } = governs
  const isUnderstood = directives.has('must-understand')
  if (directives.has('no-store') && !isUnderstood) return 'no-store'
  if (directives.has('private') || directives.has('no-cache')) return 'no-store'
  // What was set before the cache is not kept, but may be in the page: a token against forged requests, a language.
  if (setsOtherCookies([...fields, ...outer], options.ignoreSetCookie)) return 'set-cookie'
  const isPublic = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
  if (plan.isAuthorized && !isPublic) return 'authorization'
  if (!membersOf(fields, 'vary').every((name) => isCovered(name, options))) return 'vary'
  const before = membersOf(outer, 'vary').filter((name) => !OF_OUTER.has(name))
  if (!before.every((name) => isCovered(name, options))) return 'vary'
  if (/^text\/event-stream/i.test(fieldValue(fields, 'content-type') ?? '')) return 'partial'
  // Trailers come after the body, and there is no place for them in what is kept.
  if (linesOf(fields, 'trailer').length > 0) return 'partial'
  if (noncesOf(fields).length > 0) return 'nonce'
  const phrase = reason === undefined ? [] : [['reason', reason] as const]
  if (!areSound([...fields, ...phrase])) return 'malformed'
  if (lifetimeOf(said, governs, options.windows, nowMs).freshMs <= 0) return 'no-lifetime'
  return undefined
}

/** Makes what is kept of a whole response that was not refused, or tells why it cannot be kept after all. */
export function storedOf(
  response: WholeResponse,
  { plan, tags, nowMs }: { plan: CachedPlan; tags: readonly string[]; nowMs: number },
  options: ResolvedHttpCache<never>,
): StoredResponse | 'partial' | 'nonce' {
  const { status, reason, fields, outer, body } = response
  const length = fieldValue(fields, 'content-length')
  if (length !== undefined && Number(length) !== body.length) return 'partial'
  // A policy that was set before the cache belongs to its request, and this page would be shown under those of others.
  if (showsNonce(body, outer)) return 'nonce'
  const without = new Set(['set-cookie', ...options.targets.slice(0, 1)])
  const kept = [...storable(fields, without)]
  if (linesOf(kept, 'date').length === 0) kept.push(['Date', new Date(nowMs).toUTCString()])
  if (linesOf(kept, 'etag').length === 0) kept.push(['ETag', etagOf(body)])
  const said = saidOf(response, options)
  const governs = governing(said, options.targets)
  const { lifetimeMs: _, ...windows } = lifetimeOf(said, governs, options.windows, nowMs)
  const validators = validatorsOf(fields)
  // All that the handler may have read, whether or not it says so in `Vary`.
  const vary = options.vary.map((name) => [name, plan.varying.get(name) ?? ''] as const)
  return {
    kind: 'response',
    status,
    reason,
    fields: kept,
    body,
    at: nowMs,
    ...windows,
    revalidateMs: Object.keys(validators).length > 0 ? options.revalidateMs : 0,
    validators,
    vary,
    tags: [...new Set([...tags, ...groupsOf(fields)])],
  }
}

const GOVERNING = ['cache-control', 'expires', 'pragma', 'age', 'date'] as const

/**
 * All that is said about keeping a response. What was set for the whole application, such as `Cache-Control: private`, holds where
 * the handler says nothing else, though it is not part of what is kept.
 */
function saidOf(
  { fields, outer }: ResponseHead,
  { targets }: ResolvedHttpCache<never>,
): FieldLines {
  const names = new Set<string>([...GOVERNING, ...targets])
  const isSaid = (name: string): boolean => linesOf(fields, name).length > 0
  return [...fields, ...outer.filter(([name]) => names.has(name.toLowerCase()) && !isSaid(name))]
}

/** Tells whether a stored response is what this request would have got. */
export function matches({ vary }: StoredResponse, { varying }: CachedPlan): boolean {
  const names = new Set(vary.map(([name]) => name))
  // Another version of the application may have told responses apart by less.
  if (![...varying.keys()].every((name) => names.has(name))) return false
  return vary.every(([name, value]) => (varying.get(name) ?? '') === value)
}

/** Tells whether it may be served to anybody, if only because its handler has failed. */
export function mayBeServed(
  { at, freshMs, staleWhileRevalidateMs, staleIfErrorMs }: StoredResponse,
  nowMs: number,
): boolean {
  return nowMs - at <= freshMs + staleWhileRevalidateMs + staleIfErrorMs + TOLERANCE_MS
}

/** The tags of the groups that a response belongs to. */
export function groupsOf(fields: FieldLines): readonly string[] {
  return groupNames(fields, 'cache-groups')
}

/** The tags of the groups that the answer to an unsafe method ends. */
export function endedGroups(fields: FieldLines): readonly string[] {
  return groupNames(fields, 'cache-group-invalidation')
}

function groupNames(fields: FieldLines, name: string): readonly string[] {
  const lines = linesOf(fields, name)
  const groups = lines.length === 0 ? [] : (readStrings(lines) ?? [])
  return groups
    .filter((group) => group.length > 0 && group.length <= MOST_GROUP_CHARS)
    .slice(0, MOST_GROUPS)
    .map((group) => `group:${group}`)
}

function isCovered(name: string, { vary, cookies }: ResolvedHttpCache<never>): boolean {
  return name === 'cookie' ? cookies.length > 0 : vary.includes(name)
}

function setsOtherCookies(fields: FieldLines, ignored: ReadonlySet<string>): boolean {
  return linesOf(fields, 'set-cookie').some(
    (line) => !ignored.has(line.split('=', 1)[0]?.trim() ?? ''),
  )
}
