/** A provider of caches that are plain maps, and that write down what decorated methods ask of them. */

import {
  INTERNALS,
  type MethodCache,
  type MethodCacheProvider,
  type MethodDescription,
  type MethodEviction,
  type ReadRules,
} from '@larder/core/store'

type LoadContext = Parameters<Parameters<MethodCache['getOrLoad']>[1]['load']>[0]
type Begun = Awaited<ReturnType<MethodCache['begin']>>

/** One thing a decorated method asked for. */
export interface Asked {
  readonly what: 'hit' | 'load' | 'load-many' | 'peek' | 'begin' | 'put' | 'evict'
  readonly cache: string
  readonly keys: readonly string[]
  readonly calls: readonly ReadRules[]
  readonly begun?: Begun | undefined
  readonly evict?: MethodEviction | undefined
}

/** Everything is stored, whatever the call says: what it says is looked at in `asked`. */
export class RecordingProvider implements MethodCacheProvider {
  readonly isClosed = false
  readonly described: MethodDescription[] = []
  readonly asked: Asked[] = []
  /** Values by full key. */
  readonly values = new Map<string, unknown>()
  /** What callbacks about keeping failed with. */
  readonly unfit: unknown[] = []
  readonly #abort = new AbortController()

  readonly [INTERNALS] = {
    methodCache: (method: MethodDescription): MethodCache => {
      this.described.push(method)
      return this.#cacheOf(method.cacheName)
    },
  }

  /** Aborts the signal of every load. */
  abort(): void {
    this.#abort.abort()
  }

  /** What was asked for, without looks that found nothing. */
  get log(): readonly string[] {
    return this.asked
      .filter(({ what }) => what !== 'hit')
      .map(({ what, keys }) => `${what} ${keys.join(' ')}`)
  }

  #cacheOf(cache: string): MethodCache {
    const full = (key: string): string => `${cache}:${key}`
    const note = (
      what: Asked['what'],
      keys: readonly string[],
      more: Partial<Asked> = {},
    ): void => {
      this.asked.push({ what, cache, keys, calls: [], ...more })
    }
    const context: LoadContext = {
      signal: this.#abort.signal,
      previous: undefined,
      isBehind: false,
    }
    const stamp = { partition: 0, birth: 1, known: 1, seq: 2, generation: 3, changes: 4 }
    const begun: Begun = { mark: 0, begunAt: 0, stampOf: () => stamp, end: () => undefined }
    return {
      hit: (key) => {
        note('hit', [key])
        return this.values.has(full(key)) ? Promise.resolve(this.values.get(full(key))) : undefined
      },
      // As for what was never asked for by its key.
      hitByArgument: () => undefined,
      getOrLoad: async (key, source, call) => {
        note('load', [key], { calls: [call] })
        const value = await source.load(context)
        this.values.set(full(key), value)
        return value
      },
      getManyOrLoad: async (keys, load, calls) => {
        note('load-many', keys, { calls })
        const missing = keys.flatMap((key, i) => (this.values.has(full(key)) ? [] : [i]))
        const loaded = missing.length === 0 ? [] : await load(missing, context)
        missing.forEach((index, i) => {
          this.values.set(full(keys[index] ?? ''), loaded[i])
        })
        return keys.map((key) => this.values.get(full(key)))
      },
      peek: async (key) => {
        note('peek', [key])
        return this.values.get(full(key))
      },
      begin: () => {
        note('begin', [])
        return begun
      },
      put: async (key, value, call, since) => {
        note('put', [key], { calls: [call], begun: since })
        this.values.set(full(key), value)
      },
      unfit: (error) => {
        this.unfit.push(error)
      },
      evict: async (request) => {
        note('evict', request.keys, { evict: request })
        for (const key of request.keys) this.values.delete(full(key))
      },
      fullKey: full,
    }
  }
}
