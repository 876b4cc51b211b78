/** A cache name that methods evict from or put into, and no method reads, is said in development. */

import { Cacheable, CacheConfig, CacheEvict, CachePut, createCacheManager } from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

function open(): { readonly warnings: string[]; wait(): Promise<void> } {
  const clock = new ManualClock()
  const warnings: string[] = []
  const logger = {
    info: () => undefined,
    warn: (message: string) => warnings.push(message),
    error: () => undefined,
  }
  const caches = createCacheManager({ namespace: 'unread', local: lruStore(), clock, logger })
  onTestFinished(() => caches.close())
  return { warnings, wait: async () => void (await clock.advance(11_000)) }
}

class Readers {
  @Cacheable({ key: (id: string) => id, cache: 'products-read' })
  async named(id: string): Promise<string> {
    return id
  }

  @Cacheable({ key: (id: string) => id })
  async namedAfterIt(id: string): Promise<string> {
    return id
  }
}

@CacheConfig({ cache: 'read-by-config' })
class ByConfig {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    return id
  }
}

function evicting(cache: string): { run(id: string): Promise<void> } {
  class Writer {
    @CacheEvict({ cache, key: (id: string) => id })
    async run(_id: string): Promise<void> {}
  }
  return new Writer()
}

describe('a name that no method reads', () => {
  it('is said once, with what was probably meant', async () => {
    const { warnings, wait } = open()
    const writer = evicting('product-read')
    await writer.run('1')
    expect(warnings).toEqual([])
    await wait()
    await writer.run('1')
    await evicting('product-read').run('2')
    await wait()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(
      'no method reads the cache product-read (@CacheEvict(Writer.run))',
    )
    expect(warnings[0]).toContain('did you mean products-read?')
  })

  it('is said of @CachePut, too, and of a name made of class and method', async () => {
    const { warnings, wait } = open()
    class Writer {
      @CachePut({ cache: 'nobodys', key: (id: string) => id })
      async put(id: string): Promise<string> {
        return id
      }
    }
    await new Writer().put('1')
    await evicting('Readers.nmedAfterIt').run('1')
    await wait()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('nobodys (@CachePut(Writer.put))')
    expect(warnings[0]).toContain('Readers.nmedAfterIt')
  })

  it('is not said in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const { warnings, wait } = open()
    await evicting('read-nowhere').run('1')
    await wait()
    expect(warnings).toEqual([])
  })
})

it('says nothing of names that are read, called or not, or asked for, or read by then', async () => {
  const { warnings, wait } = open()
  for (const name of ['products-read', 'Readers.namedAfterIt', 'read-by-config']) {
    await evicting(name).run('1')
  }
  await evicting('read-later').run('1')
  class Late {
    @Cacheable({ key: (id: string) => id, cache: 'read-later' })
    async find(id: string): Promise<string> {
      return id
    }
  }
  await wait()
  expect([Late, Readers, ByConfig, ...warnings]).toEqual([Late, Readers, ByConfig])
})

it('says nothing of evictions by tags, which need no name', async () => {
  const { warnings, wait } = open()
  class Writer {
    @CacheEvict({ tags: ['t'] })
    async run(): Promise<void> {}
  }
  await new Writer().run()
  await wait()
  expect(warnings).toEqual([])
})
