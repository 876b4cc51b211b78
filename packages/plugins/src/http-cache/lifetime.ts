/**
 * For how long a response is fresh, and may be served after that: RFC 9111, section 4.2, RFC 5861 and RFC 9213, as a shared cache.
 *
 * Nothing is guessed: a response without explicit freshness has the route's own, or none.
 */

import { readDate } from './dates.ts'
import { type Directives, readDirectives } from './directives.ts'
import { type FieldLines, fieldValue, linesOf } from './fields.ts'
import { readDictionary } from './structured-fields.ts'

/** What governs a response. */
export interface Governing {
  readonly directives: Directives
  /** The targeted field that was obeyed, in lower case; then `Cache-Control` and `Expires` say nothing to this cache. */
  readonly target: string | undefined
}

/** How long a route keeps what says nothing itself, ms. */
export interface RouteWindows {
  readonly ttlMs: number | undefined
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
}

/** Durations, ms, from when the response is stored. */
export interface Lifetime {
  readonly freshMs: number
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  /** How old it was already, ms. */
  readonly initialAgeMs: number
  /** From its origin, ms: its age counts from there. */
  readonly lifetimeMs: number
}

const MS = 1_000
/** No entry lives longer than this: ten years. */
const MOST_MS = 315_360_000_000
const DIGITS = /^\d+$/

/** Reads the first targeted field that is there, is well formed and not empty; else `Cache-Control`. */
export function governing(fields: FieldLines, targets: readonly string[]): Governing {
  for (const target of targets) {
    const lines = linesOf(fields, target)
    const dictionary = lines.length === 0 ? undefined : readDictionary(lines)
    if (dictionary === undefined || dictionary.size === 0) continue
    const directives: Directives = {
      isEmpty: false,
      has: (name) => dictionary.has(name),
      seconds(name) {
        const value = dictionary.get(name)
        if (value === undefined) return undefined
        return typeof value === 'number' && value >= 0 ? value : 0
      },
    }
    return { directives, target: target.toLowerCase() }
  }
  return { directives: readDirectives(linesOf(fields, 'cache-control')), target: undefined }
}

/** Whether a response says anything about how long it may be kept. */
function saysFreshness(fields: FieldLines, { directives, target }: Governing): boolean {
  if (target !== undefined) return true
  if (!directives.isEmpty || linesOf(fields, 'cache-control').length > 0) return true
  return linesOf(fields, 'expires').length > 0 || linesOf(fields, 'pragma').length > 0
}

/** Returns how long a response may be kept from now on. */
export function lifetimeOf(
  fields: FieldLines,
  governs: Governing,
  route: RouteWindows,
  nowMs: number,
): Lifetime {
  const { directives } = governs
  const initialAgeMs = initialAge(fields, nowMs)
  if (!saysFreshness(fields, governs)) {
    const { ttlMs = 0, staleWhileRevalidateMs, staleIfErrorMs } = route
    const freshMs = Math.max(0, ttlMs - initialAgeMs)
    return { freshMs, staleWhileRevalidateMs, staleIfErrorMs, initialAgeMs, lifetimeMs: ttlMs }
  }
  const lifetimeMs = explicitLifetime(fields, governs, nowMs)
  const freshMs = Math.max(0, Math.min(MOST_MS, lifetimeMs) - initialAgeMs)
  const isStrict = ['must-revalidate', 'proxy-revalidate', 's-maxage', 'no-cache'].some((name) =>
    directives.has(name),
  )
  const windowMs = (name: string): number =>
    isStrict ? 0 : Math.min(MOST_MS, (directives.seconds(name) ?? 0) * MS)
  return {
    freshMs,
    staleWhileRevalidateMs: windowMs('stale-while-revalidate'),
    staleIfErrorMs: windowMs('stale-if-error'),
    initialAgeMs,
    lifetimeMs,
  }
}

/** RFC 9111, 4.2.1: in this order; what comes twice or is malformed means stale. */
function explicitLifetime(
  fields: FieldLines,
  { directives, target }: Governing,
  nowMs: number,
): number {
  const seconds = directives.seconds('s-maxage') ?? directives.seconds('max-age')
  if (seconds !== undefined) return seconds * MS
  const expires = linesOf(fields, 'expires')
  if (target !== undefined || expires.length !== 1) return 0
  const end = readDate(expires[0] ?? '', nowMs)
  if (end === undefined) return 0
  return Math.max(0, end - (dateOf(fields, nowMs) ?? nowMs))
}

function dateOf(fields: FieldLines, nowMs: number): number | undefined {
  const date = fieldValue(fields, 'date')
  return date === undefined ? undefined : readDate(date, nowMs)
}

/** RFC 9111, 4.2.3: the larger one of what `Age` says and of what `Date` lets see. */
function initialAge(fields: FieldLines, nowMs: number): number {
  const apparentMs = Math.max(0, nowMs - (dateOf(fields, nowMs) ?? nowMs))
  // Dates are whole seconds.
  const byDateMs = apparentMs < MS ? 0 : apparentMs
  const lines = linesOf(fields, 'age')
  if (lines.length === 0) return byDateMs
  // The first member counts (5.1); what is none is ignored.
  const first = (lines[0] ?? '').split(',')[0]?.trim() ?? ''
  const said = DIGITS.test(first) ? Math.min(MOST_MS, Number(first) * MS) : 0
  return Math.max(byDateMs, said)
}
