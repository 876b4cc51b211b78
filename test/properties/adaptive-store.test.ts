/**
 * A manager with the adaptive store, in a random history on a manual clock: nothing is served past its time or after its
 * eviction, nothing is loaded twice that was not evicted, expired or told as dropped, and there are never too many.
 */

import { createCacheManager } from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { adaptiveStore } from '@larder/local-store'
import { describe, expect, it } from 'vitest'
import { closeNodes } from '../support/memory-node.ts'
import { type Random, withSeed } from '../support/seed.ts'

const TTL_MS = 5_000
const NEGATIVE_TTL_MS = 1_000
const STEPS = 4_000

/** What the store must hold, as far as this history tells. */
interface Known {
  readonly value: string | null
  readonly until: number
}

describe('a manager with the adaptive store', () => {
  it.each([3, 25, 200])(
    'keeps time, evictions and its word with %i entries',
    async (maxEntries) => {
      await withSeed(async (random) => {
        await new History(random, maxEntries).play()
      })
    },
  )
})

class History {
  readonly #random: Random
  readonly #maxEntries: number
  readonly #clock = new ManualClock()
  readonly #known = new Map<string, Known>()
  #loads = 0

  constructor(random: Random, maxEntries: number) {
    this.#random = random
    this.#maxEntries = maxEntries
  }

  async play(): Promise<void> {
    const caches = createCacheManager({
      namespace: 'adaptive',
      local: adaptiveStore({ maxEntries: this.#maxEntries }),
      clock: this.#clock,
      default: false,
      defaults: { ttl: TTL_MS, negativeTtl: NEGATIVE_TTL_MS, jitter: 0, refreshAhead: false },
    })
    caches.on('drop', ({ key }) => this.#known.delete(key.slice(key.lastIndexOf(':') + 1)))
    const cache = caches.cache<string | null>('c')
    for (let step = 0; step < STEPS; step++) {
      const key = this.#drawKey(step)
      const action = this.#random.int(50)
      if (action === 0) await this.#clock.advanceAsync(this.#random.int(TTL_MS))
      else if (action === 1) {
        await cache.evict(key)
        this.#known.delete(key)
      } else if (action === 2 && this.#random.chance(0.1)) {
        await cache.clear()
        this.#known.clear()
      } else this.#judge(key, await this.#read(cache, key))
      expect(caches.stats().localEntries).toBeLessThanOrEqual(this.#maxEntries)
    }
    await closeNodes(this.#clock, [caches])
  }

  /** Popular keys, a loop and new keys in turn, so that both orders come to lead. */
  #drawKey(step: number): string {
    const phase = Math.floor(step / 500) % 3
    if (phase === 0) return `p${this.#random.int(1 + this.#random.int(60))}`
    return phase === 1 ? `l${step % 40}` : `n${step - this.#random.int(30)}`
  }

  async #read(
    cache: ReturnType<ReturnType<typeof createCacheManager>['cache']>,
    key: string,
  ): Promise<{ readonly value: unknown; readonly isLoaded: boolean }> {
    const before = this.#loads
    // A key in seven is one of which the source has nothing.
    const value = await cache.getOrLoad(key, async () => {
      this.#loads += 1
      const loaded = key.endsWith('7') ? null : `${key} ${this.#loads}`
      // Here and not later: the store may drop it as soon as it has it.
      this.#noteLoad(key, loaded)
      return loaded
    })
    return { value, isLoaded: this.#loads > before }
  }

  #noteLoad(key: string, value: string | null): void {
    const now = this.#clock.now()
    const known = this.#known.get(key)
    if (known !== undefined) expect(now).toBeGreaterThanOrEqual(known.until)
    this.#known.set(key, { value, until: now + (value === null ? NEGATIVE_TTL_MS : TTL_MS) })
  }

  #judge(
    key: string,
    { value, isLoaded }: { readonly value: unknown; readonly isLoaded: boolean },
  ): void {
    if (isLoaded) return
    const known = this.#known.get(key)
    expect(known?.value).toBe(value)
    expect(this.#clock.now()).toBeLessThan(known?.until ?? 0)
  }
}
