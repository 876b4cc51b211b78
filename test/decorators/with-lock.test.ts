/** `@WithLock` in both decorator modes, on locks in process. */

import {
  Cacheable,
  CacheConfig,
  type CacheManager,
  createCacheManager,
  currentLock,
  describeClass,
  InvalidOptionError,
  LockTimeoutError,
  loadSignal,
  NotConfiguredError,
  WithLock,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { forced } from './support/forced.ts'
import { RecordingProvider } from './support/recording-provider.ts'

function startManager(): CacheManager {
  const caches = createCacheManager({ namespace: 'shop', local: lruStore() })
  onTestFinished(() => caches.close())
  return caches
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

class Till {
  running = 0
  most = 0

  @WithLock({ key: (id: string) => `order:${id}`, lease: '10s', wait: '5s' })
  async pay(id: string, by = 'card'): Promise<string> {
    this.running += 1
    this.most = Math.max(this.most, this.running)
    await turn()
    this.running -= 1
    return `${id} by ${by}, fence ${currentLock().fence > 0}`
  }

  @WithLock({ key: 'order:{0}', wait: 0 })
  async tryPay(_id: string): Promise<number> {
    await turn()
    return currentLock().fence
  }

  @WithLock({ keys: (from: string, to: string) => [from, to] })
  async transfer(_from: string, _to: string): Promise<readonly string[]> {
    return currentLock().keys
  }

  @WithLock({})
  async audit(_day: number, _deep: boolean): Promise<readonly string[]> {
    return currentLock().keys
  }

  @WithLock({ key: (id: string) => `order:${id}` })
  async payTwice(id: string): Promise<string> {
    await this.pay(id)
    return this.pay(id)
  }
}

describe('@WithLock', () => {
  it('lets one call in at a time per key, and others at once', async () => {
    startManager()
    const till = new Till()
    const results = await Promise.all([till.pay('1'), till.pay('1', 'cash'), till.pay('1')])
    expect(results[1]).toBe('1 by cash, fence true')
    expect(till.most).toBe(1)
    const other = new Till()
    await Promise.all([other.pay('1'), other.pay('2')])
    expect(other.most).toBe(2)
  })

  it('excludes methods that say the same key', async () => {
    startManager()
    const till = new Till()
    const paying = till.pay('no7')
    await expect(till.tryPay('no7')).rejects.toThrow(LockTimeoutError)
    await paying
    expect(await till.tryPay('no7')).toBeGreaterThan(0)
  })

  it('takes several keys, and by default the method and its arguments', async () => {
    startManager()
    const till = new Till()
    expect(await till.transfer('b', 'a')).toEqual(['a', 'b'])
    const [name = ''] = await till.audit(3, true)
    expect(name.startsWith('Till.audit:')).toBe(true)
    expect(await till.audit(4, true)).not.toEqual([name])
  })

  it('is reentrant', async () => {
    startManager()
    expect(await new Till().payTwice('9')).toContain('9 by card')
  })

  it('keeps name, length and what describe() tells', () => {
    expect([Till.prototype.pay.name, Till.prototype.pay.length]).toEqual(['pay', 1])
    const pay = describeClass(Till).methods.find(({ name }) => name === 'pay')
    expect(pay?.operations).toMatchObject([{ kind: 'with-lock', options: { lease: '10s' } }])
  })

  it('needs a manager, and one that has locks', async () => {
    class Alone {
      @WithLock({ key: '{0}' })
      async run(_id: string): Promise<void> {}
    }
    await expect(new Alone().run('1')).rejects.toThrow(NotConfiguredError)
    const provider = new RecordingProvider()
    @CacheConfig({ manager: () => provider })
    class Other {
      @WithLock({ key: '{0}' })
      async run(_id: string): Promise<void> {}
    }
    await expect(new Other().run('1')).rejects.toThrow('a manager that has locks')
  })

  it('passes on what the method throws, at once or later', async () => {
    startManager()
    class Failing {
      @WithLock({ key: '{0}' })
      async late(_id: string): Promise<void> {
        await turn()
        throw new RangeError('late')
      }

      @forced(WithLock({ key: '{0}' }))
      sync(_id: string): number {
        return 1
      }
    }
    await expect(new Failing().late('1')).rejects.toThrow(RangeError)
    // It ran, but without anybody waiting for it: that must not pass for locked.
    await expect(new Failing().sync('1') as unknown as Promise<number>).rejects.toThrow(
      'returns a promise',
    )
  })

  const wrong: readonly (readonly [string, object, string])[] = [
    ['key and keys', { key: '{0}', keys: () => [] }, '@WithLock.keys'],
    ['keys that are no function', { keys: ['a'] }, '@WithLock.keys'],
    ['a lease below renewal', { lease: 10 }, '@WithLock.lease'],
    ['a wait longer than sense', { wait: '30d' }, '@WithLock.wait'],
    ['an unknown name', { timeout: 1 }, '@WithLock.timeout'],
    ['a signal', { signal: AbortSignal.abort() }, '@WithLock.signal'],
  ]
  it.each(wrong)('refuses %s at definition', (_what, options, message) => {
    expect(() => WithLock(options as { key: string })).toThrow(message)
    expect(() => WithLock(options as { key: string })).toThrow(InvalidOptionError)
  })

  it('refuses at the first call what the provider cannot do', async () => {
    startManager()
    class Service {
      @WithLock({ key: '{0}', replicas: { min: 1 } })
      async run(_id: string): Promise<void> {}
    }
    await expect(new Service().run('1')).rejects.toThrow('@WithLock(Service.run).replicas')
  })
})

describe('with @Cacheable on one method', () => {
  it('outside of it, every call takes the lock, also for a hit', async () => {
    const caches = startManager()
    const granted: string[] = []
    caches.on('lock', ({ key, outcome }) => outcome === 'granted' && granted.push(key))
    class Service {
      loads = 0

      @WithLock({ key: (id: string) => id })
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        this.loads += 1
        return id
      }
    }
    const service = new Service()
    await service.find('1')
    await service.find('1')
    expect([service.loads, granted]).toEqual([1, ['1', '1']])
  })

  it('inside of it, only loads take the lock', async () => {
    const caches = startManager()
    const granted: string[] = []
    caches.on('lock', ({ key, outcome }) => outcome === 'granted' && granted.push(key))
    class Service {
      loads = 0

      @Cacheable({ key: (id: string) => id })
      @WithLock({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        this.loads += 1
        return id
      }
    }
    const service = new Service()
    await service.find('1')
    await service.find('1')
    expect([service.loads, granted]).toEqual([1, ['1']])
  })

  it('inside of it, the method is still part of its load', async () => {
    startManager()
    class Base {
      @Cacheable({ key: (id: string) => id, cache: 'shared' })
      async find(id: string): Promise<string> {
        return `base ${id}`
      }
    }
    class Derived extends Base {
      @Cacheable({ key: (id: string) => id, cache: 'shared' })
      @WithLock({ key: (id: string) => id })
      override async find(id: string): Promise<string> {
        const signal = loadSignal()
        // The same key, which this very load is for: it must not wait for itself.
        return `${await super.find(id)}, with a signal: ${signal !== undefined}`
      }
    }
    expect(await new Derived().find('1')).toBe('base 1, with a signal: true')
  })
})
