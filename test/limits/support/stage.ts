/** A manager whose limit store and clock are in a test's hands. */

import {
  type CacheEvents,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
} from '@larder/core'
import type { LimitReply, LimitRequest, LimitRule, RateLimitProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localLimits, lruStore } from '@larder/local-store'
import { onTestFinished } from 'vitest'
import { START_US } from './rules.ts'

const US_PER_MS = 1_000

/** A shared store in this process: it answers, fails or says nothing as it is told, and writes down what it was asked. */
export class StagedStore implements RateLimitProvider {
  readonly name = 'staged'
  readonly capabilities = { shared: true }
  /** What it was asked to decide, a list a call. */
  readonly asked: (readonly LimitRequest[])[] = []
  /** What becomes of calls. */
  mode: 'answer' | 'fail' | 'hang' = 'answer'
  readonly #inner: RateLimitProvider

  constructor(inner: RateLimitProvider) {
    this.#inner = inner
  }

  get listener() {
    return this.#inner.listener
  }

  set listener(listener: RateLimitProvider['listener']) {
    this.#inner.listener = listener
  }

  open(namespace: string): void {
    this.#inner.open(namespace)
  }

  decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]> {
    this.asked.push(requests.map(({ key, cost, kind, permit }) => ({ key, cost, kind, permit })))
    return this.#fated(() => this.#inner.decide(rule, requests))
  }

  refund(...args: Parameters<RateLimitProvider['refund']>): Promise<boolean> {
    return this.#fated(() => this.#inner.refund(...args))
  }

  renew(...args: Parameters<RateLimitProvider['renew']>): Promise<readonly boolean[]> {
    return this.#fated(() => this.#inner.renew(...args))
  }

  reset(...args: Parameters<RateLimitProvider['reset']>): Promise<void> {
    return this.#fated(() => this.#inner.reset(...args))
  }

  adjust(...args: Parameters<NonNullable<RateLimitProvider['adjust']>>): Promise<number> {
    return this.#fated(async () => this.#inner.adjust?.(...args) ?? 0)
  }

  block(...args: Parameters<NonNullable<RateLimitProvider['block']>>): Promise<void> {
    return this.#fated(async () => this.#inner.block?.(...args))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #fated<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.mode === 'fail') return Promise.reject(new Error('The store is on fire'))
    return this.mode === 'hang' ? new Promise(() => undefined) : call()
  }
}

export interface Stage {
  readonly clock: ManualClock
  readonly store: StagedStore
  readonly caches: CacheManager
  /** `limit` events so far. */
  readonly decisions: CacheEvents['limit'][]
}

/** Makes a manager over a staged store; closed with the test. */
export function setStage(options: Partial<CacheManagerOptions> = {}): Stage {
  const clock = new ManualClock()
  const nowUs = (): number => START_US + Math.floor(clock.now() * US_PER_MS)
  const store = new StagedStore(localLimits({ nowUs }))
  const local = lruStore()
  const caches = createCacheManager({
    namespace: 'stage',
    local: Object.assign(local, { limits: localLimits({ nowUs }) }),
    limits: store,
    clock,
    default: false,
    ...options,
  })
  const decisions: CacheEvents['limit'][] = []
  caches.on('limit', (event) => decisions.push(event))
  onTestFinished(() => caches.close())
  return { clock, store, caches, decisions }
}
