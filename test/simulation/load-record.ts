/**
 * Who loads what: one load per key and lifetime (I4).
 *
 * Checked where nothing goes wrong and the policy gives no reason to load again: then a load is one too many when an
 * earlier load of the key, still running or successful, was neither invalidated nor has outlived its freshness.
 */

import type { Plan } from './plan.ts'
import type { Origin } from './source.ts'

interface Load {
  readonly origin: Origin
  /** When it began, ms: what it stands on was taken down then. */
  readonly time: number
  isFailed: boolean
}

interface Invalidation {
  readonly hits: (origin: Origin) => boolean
  /** When its caller went on, ms. */
  endedTime: number
}

/** The most that jitter shortens a life by. */
const JITTER = 0.1

export class LoadRecord {
  /** Set once the fleet shuts down: who closes loads what it must. */
  isClosing = false
  readonly #plan: Plan
  readonly #now: () => number
  readonly #last = new Map<string, Load>()
  readonly #failures = new Map<string, number>()
  readonly #invalidations: Invalidation[] = []

  constructor(plan: Plan, now: () => number) {
    this.#plan = plan
    this.#now = now
  }

  /** Notes that an invalidation begins; returns what notes its end. */
  invalidate(hits: (origin: Origin) => boolean): () => void {
    const invalidation: Invalidation = { hits, endedTime: Number.POSITIVE_INFINITY }
    this.#invalidations.push(invalidation)
    return () => {
      invalidation.endedTime = this.#now()
    }
  }

  /** Notes a load; returns why it should not have happened, if it should not. */
  begin(origin: Origin): string | undefined {
    const earlier = this.#last.get(origin.key)
    this.#last.set(origin.key, { origin, time: this.#now(), isFailed: false })
    if (earlier === undefined || !this.#isAccountedFor(earlier)) return undefined
    return `I4: ${origin.key} is loaded again at #${origin.begunAt} on n${origin.node}; the load begun at #${earlier.origin.begunAt} on n${earlier.origin.node} still counts`
  }

  fail(origin: Origin): void {
    const last = this.#last.get(origin.key)
    if (last?.origin === origin) last.isFailed = true
    this.#failures.set(`${origin.node} ${origin.key}`, this.#now())
  }

  /** When a load of the key last failed on the node, ms. */
  failedAt(node: number, key: string): number {
    return this.#failures.get(`${node} ${key}`) ?? Number.NEGATIVE_INFINITY
  }

  #isAccountedFor({ origin, time, isFailed }: Load): boolean {
    const { isCalm, operations, caches, latencyMs } = this.#plan
    const cache = caches.find(({ name }) => origin.key.startsWith(`${name}:`))
    if (!isCalm || this.isClosing || isFailed || cache === undefined) return false
    const { refreshAhead, negativeTtl } = cache.policy
    if (refreshAhead !== false || operations.includes('refresh')) return false
    // What is loaded in a settle window lives no longer than the window.
    if (operations.includes('settle-evict')) return false
    if (origin.isNegative && negativeTtl === false) return false
    const freshMs = origin.isNegative ? Number(negativeTtl) : cache.ttlMs
    if (this.#now() >= time + freshMs * (1 - JITTER)) return false
    // A node that has not heard of an invalidation yet loads with too early a birth: an extra miss, never a stale hit.
    const heardBy = time - latencyMs - 1
    return !this.#invalidations.some(({ hits, endedTime }) => endedTime >= heardBy && hits(origin))
  }
}
