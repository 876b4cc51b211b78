/** `skipCache`, by async context. */

import {
  Cacheable,
  CacheConfig,
  InvalidOptionError,
  loadSignal,
  type SkipMode,
  skipCache,
} from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider

@CacheConfig({ manager, cache: 'numbers' })
class Numbers {
  runs = 0

  @Cacheable({ key: (id: string) => id })
  async next(_id: string): Promise<number> {
    this.runs += 1
    return this.runs
  }

  @Cacheable({ key: (id: string) => `outer ${id}` })
  async outer(id: string): Promise<number> {
    return (await this.next(id)) * 10
  }
}

let numbers: Numbers
beforeEach(() => {
  provider = new RecordingProvider()
  numbers = new Numbers()
})

const modes = (): readonly string[] =>
  provider.asked.flatMap(({ calls }) => calls.map(({ mode }) => mode))

describe('skipCache', () => {
  it('neither looks nor stores, at any depth, and returns what the work returned', async () => {
    await numbers.outer('a')
    const before = provider.asked.length

    expect(await skipCache(() => numbers.outer('a'))).toBe(20)
    expect(provider.asked.length).toBe(before)
    expect(await numbers.outer('a')).toBe(10)
  })

  it.each(['refresh', 'localOnly'] as const)(
    'tells the engine to %s, at any depth',
    async (mode) => {
      await numbers.outer('a')
      await skipCache(() => numbers.outer('a'), mode)

      expect(modes()).toEqual(['normal', 'normal', mode, mode])
    },
  )

  it('leaves callers outside alone, and the inner of two modes holds', async () => {
    await numbers.next('a')
    const [inside, outside] = await Promise.all([
      skipCache(() => skipCache(() => numbers.next('a'), 'skip'), 'refresh'),
      numbers.next('a'),
    ])

    expect([inside, outside]).toEqual([2, 1])
  })

  it('ends with the work, also for what the work left running', async () => {
    await numbers.next('a')
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let left: Promise<number> = Promise.resolve(0)
    await skipCache(() => {
      left = gate.then(() => numbers.next('a'))
    })
    const other = skipCache(async () => {
      goOn()
      await left
    })
    await other

    expect(await left).toBe(1)
  })

  it('passes errors through, thrown or rejected, and ends all the same', async () => {
    await numbers.next('a')
    const problem = new Error('no')
    const work: readonly (() => Promise<never>)[] = [
      () => Promise.reject(problem),
      () => {
        throw problem
      },
    ]
    for (const fail of work) await expect(skipCache(fail)).rejects.toBe(problem)

    expect(await numbers.next('a')).toBe(1)
  })

  it('refuses modes it does not know', async () => {
    await expect(skipCache(() => 1, 'none' as SkipMode)).rejects.toThrow(InvalidOptionError)
    await expect(skipCache('work' as never)).rejects.toThrow(/skipCache\.work/)
  })
})

describe('loadSignal', () => {
  it('is the signal of the load, up to the first await, and absent elsewhere', async () => {
    const seen: (AbortSignal | undefined)[] = []
    @CacheConfig({ manager })
    class Service {
      @Cacheable()
      async find(): Promise<number> {
        seen.push(loadSignal())
        await Promise.resolve()
        seen.push(loadSignal())
        return 1
      }

      @Cacheable({ each: { key: (id: string) => id } })
      async findMany(ids: string[]): Promise<string[]> {
        seen.push(loadSignal())
        return ids
      }
    }
    const service = new Service()
    await service.find()
    await service.findMany(['a'])
    await skipCache(() => service.find())
    const [one, after, many, ...skipped] = seen

    expect(one).toBeInstanceOf(AbortSignal)
    expect(many).toBe(one)
    expect([after, ...skipped]).toEqual([undefined, undefined, undefined])
    provider.abort()
    expect(one?.aborted).toBe(true)
  })
})
