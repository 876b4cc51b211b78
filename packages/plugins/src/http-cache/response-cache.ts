/**
 * The cache for responses: a shared cache as RFC 9111 describes it, in front of a handler.
 *
 * A request is planned first (`planOf`). One that may be cached is read from a named cache of the manager; the loader of that read
 * runs the handler. So everything that holds for other entries holds for responses: one render over all nodes, evictions that
 * the next request sees, and handlers that run when the store is away.
 *
 * Who waits for a load is given its result only where that may be stored (RFC 9111, 4: only then may requests be collapsed). The
 * others run their own handlers; see `unshared` of `getOrLoad`.
 */

import type { Cache, Duration, LoadContext, LoadOptions } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { type AnswerContext, answerOf, ownAnswer, statusField } from './answers.ts'
import type { CacheStatus, Forward } from './cache-status.ts'
import { DueRefreshes } from './due-refreshes.ts'
import type { Exchange } from './exchange.ts'
import type { HttpCacheOptions } from './http-cache-options.ts'
import { type CachedPlan, planOf } from './request-plan.ts'
import { MOST_BODY, type ResolvedHttpCache, resolveHttpCache } from './resolve-http-cache.ts'
import { ClientGone, type Loaded, NO_REQUEST, Run } from './run.ts'
import { SoundResponses } from './sound-responses.ts'
import { matches, mayBeServed, type StoredResponse } from './stored-response.ts'
import { afterUnsafe } from './unsafe-methods.ts'
import { uriTag } from './uri.ts'
import { Variants } from './variants.ts'

/** The same for all uses of a cache name. Times come from the responses. */
const POLICY = {
  ttl: '1m',
  staleWhileRevalidate: 0,
  staleIfError: 0,
  jitter: 0,
  refreshAhead: false,
  isolation: 'shared',
  maxValueBytes: MOST_BODY + 1_048_576,
} as const
/** So often a request waits for another one whose client leaves. */
const MOST_TRIES = 4
const GATEWAY_TIMEOUT = 504

/** What a response was read by. */
interface Reading<Request> {
  readonly exchange: Exchange
  readonly plan: CachedPlan
  readonly run: Run<Request>
  /** Its place among requests and renders of this process. */
  readonly order: number
}

export class ResponseCache<Request> {
  readonly #options: ResolvedHttpCache<Request>
  readonly #cache: Cache<Loaded>
  readonly #due = new DueRefreshes()
  readonly #variants = new Variants()
  readonly #sound = new SoundResponses()
  /** By response, its place among requests and renders of this process: no clock says which came first. */
  readonly #renders = new WeakMap<object, number>()
  #count = 0

  /** `where`: how messages name the options. @throws InvalidOptionError */
  constructor(options: HttpCacheOptions<Request>, where: string) {
    this.#options = resolveHttpCache(options, where)
    this.#cache = this.#options.caches.cache<Loaded>(this.#options.cache, POLICY)
  }

  /** Runs a task after so many ms, on the manager's clock. */
  readonly schedule = (delayMs: number, task: () => void): (() => void) =>
    this.#options.caches[INTERNALS].schedule(delayMs, task, 'background')

  /** Answers a request, or lets its handler answer it. Never rejects because of the store; with what the user's functions throw. */
  async handle(exchange: Exchange, request: Request): Promise<void> {
    const options = this.#common
    if (this.#options.skip?.(request) === true) return exchange.pass([])
    const plan = planOf(exchange, options)
    if (plan.kind === 'unsafe') {
      const added = statusField({ fwd: 'method' }, options)
      return exchange.passAfter(added, (head) =>
        afterUnsafe(this.#options.caches, { head, exchange, path: plan.path }),
      )
    }
    if (plan.kind === 'bypass') return this.#pass(exchange, plan.fwd, plan.detail)
    const asked = plan.directives
    if (asked?.has('no-store') === true) return this.#pass(exchange, 'request')
    const run = new Run({ exchange, plan, request, options: this.#options, now: this.#now })
    await this.#serve({ exchange, plan, run, order: this.#next() })
  }

  async #serve(reading: Reading<Request>): Promise<void> {
    const { exchange, plan } = reading
    if (plan.directives?.has('only-if-cached') === true) return this.#onlyIfCached(reading)
    if (plan.isHead || plan.range !== undefined) return this.#onlyOfWhole(reading)
    const first = await this.#read(reading, plan.key)
    if (first === undefined || !this.#isUsable(first)) return this.#finish(reading, 'uri-miss')
    if (first.kind !== 'response' || matches(first, plan)) {
      return this.#answer(reading, first, 'uri-miss')
    }
    const values = first.vary.map(([name]) => [name, plan.varying.get(name) ?? ''])
    const variant = JSON.stringify(values)
    if (!this.#variants.admits(plan.key.join(' '), variant, this.#now()))
      return this.#pass(exchange, 'bypass', 'variants')
    const second = await this.#read(reading, [...plan.key, variant])
    if (second === undefined || !this.#isUsable(second)) return this.#finish(reading, 'vary-miss')
    // It may vary on other fields by now.
    if (second.kind === 'response' && !matches(second, plan))
      return this.#finish(reading, 'vary-miss')
    return this.#answer(reading, second, 'vary-miss')
  }

  /** False for what nobody here has written so. */
  #isUsable(loaded: Loaded): boolean {
    if (loaded.kind !== 'response') return loaded.kind === 'apart' || loaded.kind === 'no-request'
    return this.#sound.has(loaded) && mayBeServed(loaded, this.#now())
  }

  /** Returns what there is or is made; `undefined` where the request has to be seen to by its own handler. */
  async #read(reading: Reading<Request>, key: readonly string[]): Promise<Loaded | undefined> {
    const { exchange, run } = reading
    const options = this.#loadOptions(reading)
    const load = async ({ previous, isBehind }: LoadContext<Loaded>): Promise<Loaded> => {
      if (!isBehind && !run.isAnswered) {
        const loaded = await run.load(this.#sound.has(previous) ? previous : undefined)
        this.#renders.set(loaded, this.#next())
        return loaded
      }
      this.#due.add(key.join(' '))
      return NO_REQUEST
    }
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      try {
        if (!(await this.#isToRefresh(reading, key)))
          return await this.#cache.getOrLoad(key, load, options)
        return await this.#refreshed(key, load, options)
      } catch (error) {
        if (run.failure !== undefined) throw run.failure.error
        if (run.isStarted || exchange.signal.aborted || !(error instanceof ClientGone))
          return undefined
      }
    }
    return undefined
  }

  /** Whether the request is one that has the response made anew. */
  async #isToRefresh({ plan }: Reading<Request>, key: readonly string[]): Promise<boolean> {
    const { directives } = plan
    if (directives !== undefined && !directives.isEmpty && (await this.#isTooOld(plan, key)))
      return true
    if (!this.#due.take(key.join(' '))) return false
    // Another node may have done it.
    const entry = await this.#cache.getEntry([...key])
    return entry !== undefined && entry.state !== 'fresh'
  }

  /** Whether what there is is not what the request asks caches for. */
  async #isTooOld({ directives }: CachedPlan, key: readonly string[]): Promise<boolean> {
    if (directives === undefined) return false
    if (directives.has('no-cache')) return true
    const maxAge = directives.seconds('max-age')
    const minFresh = directives.seconds('min-fresh')
    if (maxAge === undefined && minFresh === undefined) return false
    const entry = await this.#cache.getEntry([...key])
    if (entry?.value?.kind !== 'response') return false
    const ageMs = entry.value.initialAgeMs + entry.ageMs
    return (
      (maxAge !== undefined && ageMs > maxAge * 1_000) ||
      (minFresh !== undefined && entry.freshForMs < minFresh * 1_000)
    )
  }

  /** A failed refresh leaves what is cached: that is served while it may be. */
  async #refreshed(
    key: readonly string[],
    load: (context: LoadContext<Loaded>) => Promise<Loaded>,
    options: LoadOptions<Loaded>,
  ): Promise<Loaded> {
    const entry = await this.#cache.getEntry([...key])
    try {
      return await this.#cache.refresh(
        [...key],
        (context) => load({ ...context, signal: context.signal, previous: entry?.value }),
        options,
      )
    } catch (error) {
      const left = await this.#cache.get([...key], { allowStale: true })
      if (left === undefined) throw error
      return left
    }
  }

  /** Answers with what was read. */
  async #answer(reading: Reading<Request>, loaded: Loaded, fwd: Forward): Promise<void> {
    const { exchange, run, order } = reading
    if (loaded.kind !== 'response' || loaded === run.product) return this.#finish(reading, fwd)
    run.isAnswered = true
    const isCollapsed = (this.#renders.get(loaded) ?? 0) > order
    const status: CacheStatus = isCollapsed ? { fwd, collapsed: true } : {}
    await exchange.answer(answerOf(loaded, this.#context(reading), status))
  }

  /** Answers with what the request's own handler makes. */
  async #finish(reading: Reading<Request>, fwd: Forward): Promise<void> {
    const { exchange, run } = reading
    if (!run.isStarted) {
      run.isAnswered = true
      return this.#pass(exchange, fwd)
    }
    const rendering = await run.rendering
    run.isAnswered = true
    if (rendering.kind !== 'whole') return
    const stored = run.product?.kind === 'response' ? run.product : undefined
    const status: CacheStatus = stored === undefined ? { fwd } : { fwd, stored: true }
    await exchange.answer(ownAnswer(rendering.response, stored, this.#context(reading), status))
  }

  async #onlyIfCached(reading: Reading<Request>): Promise<void> {
    const found = await this.#found(reading.plan)
    if (found !== undefined) return this.#answer(reading, found, 'uri-miss')
    const fields = statusField({ fwd: 'request' }, this.#common)
    const response = { status: GATEWAY_TIMEOUT, reason: undefined, fields, body: new Uint8Array(0) }
    await reading.exchange.answer(response)
  }

  /** What GET has had kept is there for HEAD and for parts; what they get themselves is no response to keep. */
  async #onlyOfWhole(reading: Reading<Request>): Promise<void> {
    const found = await this.#found(reading.plan)
    if (found === undefined)
      return this.#pass(reading.exchange, reading.plan.isHead ? 'method' : 'partial')
    await this.#answer(reading, found, 'uri-miss')
  }

  async #found(plan: CachedPlan): Promise<StoredResponse | undefined> {
    const first = await this.#cache.get([...plan.key]).catch(() => undefined)
    if (!this.#sound.has(first)) return undefined
    if (matches(first, plan)) return first
    const variant = JSON.stringify(first.vary.map(([name]) => [name, plan.varying.get(name) ?? '']))
    const second = await this.#cache.get([...plan.key, variant]).catch(() => undefined)
    return this.#sound.has(second) && matches(second, plan) ? second : undefined
  }

  #loadOptions({ plan, exchange }: Reading<Request>): LoadOptions<Loaded> {
    // With its unit: small numbers without one are reported as slips.
    const ofResponse =
      (of: (response: StoredResponse) => number) =>
      (loaded: Loaded): Duration =>
        loaded.kind === 'response' ? `${Math.round(of(loaded))}ms` : 0
    const uri = uriTag(plan.path)
    return {
      signal: exchange.signal,
      ttl: ofResponse(({ freshMs }) => freshMs),
      staleWhileRevalidate: ofResponse((response) => response.staleWhileRevalidateMs),
      // What is kept beyond it is served by nobody; see `mayBeServed`.
      staleIfError: ofResponse(({ staleIfErrorMs, revalidateMs }) =>
        Math.max(staleIfErrorMs, revalidateMs),
      ),
      tags: (loaded) => (loaded.kind === 'response' ? [uri, ...loaded.tags] : []),
      unshared: (loaded) => loaded.kind === 'apart',
    }
  }

  #pass(exchange: Exchange, fwd: Forward, detail?: string): Promise<void> {
    return exchange.pass(statusField({ fwd, detail }, this.#common))
  }

  #context({ exchange, plan }: Reading<Request>): AnswerContext {
    return { exchange, options: this.#common, range: plan.range, nowMs: this.#now() }
  }

  get #common(): ResolvedHttpCache<never> {
    return this.#options as unknown as ResolvedHttpCache<never>
  }

  #next(): number {
    this.#count += 1
    return this.#count
  }

  readonly #now = (): number => this.#options.caches[INTERNALS].commonNow()
}
