import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CodecStep } from '../contracts/codec.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { MemoryServer } from '../testing/memory/memory-server.ts'
import { structuredCodec } from '../testing/structured-codec.ts'
import { createCacheManager } from './cache-manager.ts'
import type { CacheManagerOptions } from './manager-options.ts'
import type { Plugin, PluginHost } from './plugin.ts'

declare module '../events/events.ts' {
  interface PluginEvents {
    'audit:written': { readonly lines: number }
  }
}

function manager(options: Partial<CacheManagerOptions> = {}) {
  const caches = createCacheManager({ namespace: 'shop', default: false, ...options })
  onTestFinished(() => caches.close())
  return caches
}

/** A plugin that keeps its host. */
function hosted(more: Partial<Plugin> = {}): { readonly plugin: Plugin; host(): PluginHost } {
  let kept: PluginHost | undefined
  const plugin: Plugin = {
    name: 'audit',
    events: ['audit:written'],
    ...more,
    start(host) {
      kept = host
      more.start?.(host)
    },
  }
  return {
    plugin,
    host: () => {
      if (kept === undefined) throw new Error('not started')
      return kept
    },
  }
}

describe('the host of a plugin', () => {
  it('has the manager, its clock and its numbers', async () => {
    const clock = new ManualClock()
    const { plugin, host } = hosted()
    const caches = manager({ clock, plugins: [plugin] })
    expect([host().namespace, host().clock, host().manager]).toEqual(['shop', clock, caches])
    await caches.cache('c').get('k')
    expect(host().stats()).toEqual(caches.stats())
    expect(host().stats().misses).toBe(1)
  })

  it('hears of an event in the context of its call, or in that of the listener', async () => {
    const requests = new AsyncLocalStorage<string>()
    const heard: (readonly unknown[])[] = []
    const { plugin } = hosted({
      start: ({ on, onInCall }) => {
        on('miss', ({ key }) => heard.push(['on', key, requests.getStore()]))
        onInCall('miss', ({ key }) => heard.push(['onInCall', key, requests.getStore()]))
      },
    })
    const caches = manager({ plugins: [plugin] })
    await requests.run('r1', () => caches.cache('c').get('k'))
    expect(heard).toEqual([
      ['on', 'c:k', undefined],
      ['onInCall', 'c:k', 'r1'],
    ])
  })

  it('hears of events in calls until it has stopped, and only of those that there are', async () => {
    const { plugin, host } = hosted()
    const caches = manager({ plugins: [plugin] })
    const heard: unknown[] = []
    host().onInCall('miss', (event) => heard.push(event))
    expect(() => host().onInCall('mis' as 'miss', () => undefined)).toThrow('onInCall.event')
    expect(() => host().onInCall('miss', 1 as never)).toThrow('onInCall.listener')
    await caches.close()
    host().onInCall('miss', (event) => heard.push(event))
    expect(heard).toEqual([])
  })

  it('has a manager that works at once', async () => {
    let found: Promise<unknown> | undefined
    const { plugin } = hosted({
      start: ({ manager: caches }) => {
        found = caches.cache('c').getOrLoad('k', async () => 'v')
      },
    })
    manager({ plugins: [plugin] })
    expect(await found).toBe('v')
  })

  it('is one for each manager of a plugin that several have', () => {
    const hosts: PluginHost[] = []
    const plugin: Plugin = { name: 'both', start: (host) => void hosts.push(host) }
    const [a, b] = [manager({ plugins: [plugin] }), manager({ namespace: 'b', plugins: [plugin] })]
    expect(hosts.map((host) => host.manager)).toEqual([a, b])
  })
})

describe('events of a plugin', () => {
  it('are heard like others, until the plugin has stopped', async () => {
    const { plugin, host } = hosted()
    const caches = manager({ plugins: [plugin] })
    const heard = vi.fn()
    const end = caches.on('audit:written', heard)
    host().emit('audit:written', { lines: 3 })
    end()
    host().emit('audit:written', { lines: 4 })
    expect(heard).toHaveBeenCalledExactlyOnceWith({ lines: 3 })
    caches.on('audit:written', heard)
    await caches.close()
    host().emit('audit:written', { lines: 5 })
    expect(heard).toHaveBeenCalledOnce()
  })

  it('are those that it declares, and no others', () => {
    const { plugin, host } = hosted()
    const caches = manager({ plugins: [plugin] })
    expect(() => host().emit('miss' as 'audit:written', { lines: 1 })).toThrow(
      /^plugin audit: emit\.event takes one of audit:written/,
    )
    expect(() => caches.on('audit:other' as 'audit:written', vi.fn())).toThrow(/audit:written/)
    expect(() => manager({ namespace: 'b' }).on('audit:written', vi.fn())).toThrow(
      /^on\.event takes the name of an event/,
    )
    const silent = hosted({ name: 'silent', events: undefined })
    manager({ namespace: 'c', plugins: [silent.plugin] })
    expect(() => silent.host().emit('audit:written', { lines: 1 })).toThrow(/declares no events/)
  })

  it.each([['hit'], ['audit'], ['audit:'], ['other:written'], [7]])(
    'cannot be called %s',
    (name) => {
      const plugin = { name: 'audit', events: [name] } as unknown as Plugin
      expect(() => manager({ plugins: [plugin] })).toThrow(
        /^createCacheManager\.plugins\.audit\.events takes an array of names that begin with audit:/,
      )
    },
  )

  it('come to its own listeners as well, which end when it has stopped', async () => {
    const heard = vi.fn()
    const { plugin, host } = hosted()
    const caches = manager({ plugins: [plugin] })
    const end = host().on('miss', heard)
    host().on('miss', heard)
    await caches.cache('c').get('k')
    expect(heard).toHaveBeenCalledTimes(1)
    end()
    await caches.cache('c').get('k')
    expect(heard).toHaveBeenCalledTimes(1)
    const late = vi.fn()
    host().on('audit:written', late)
    await caches.close()
    host().on('audit:written', late)()
    expect(() => host().on('hits' as 'hit', late)).not.toThrow()
  })
})

describe('plugins', () => {
  it('are started in their order, and stopped in the opposite one, each once', async () => {
    const done: string[] = []
    const plugin = (name: string): Plugin => ({
      name,
      start: () => void done.push(`start ${name}`),
      stop: async () => void done.push(`stop ${name}`),
    })
    const caches = manager({ plugins: [plugin('a'), plugin('b'), plugin('c')] })
    await Promise.all([caches.close(), caches.close()])
    expect(done).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
  })

  it('one of which cannot start leave nothing behind: the manager is not made', async () => {
    const stopped = vi.fn()
    const store = new MemoryServer().store()
    const close = vi.spyOn(store, 'close')
    const never = vi.fn()
    const options = {
      remote: store,
      codec: structuredCodec,
      plugins: [
        { name: 'first', start: () => undefined, stop: stopped },
        {
          name: 'second',
          start: () => {
            throw new Error('no file')
          },
          stop: never,
        },
        { name: 'third', start: never },
      ],
    }
    expect(() => manager(options)).toThrow('no file')
    await vi.waitUntil(() => stopped.mock.calls.length > 0)
    expect([never.mock.calls.length, close.mock.calls.length]).toEqual([0, 1])
    // The store is free again.
    expect(() => manager({ remote: store, codec: structuredCodec })).not.toThrow()
  })

  it('that fail to stop, at once or later, hold nobody up', async () => {
    const clock = new ManualClock()
    const last = vi.fn()
    const caches = manager({
      clock,
      plugins: [
        { name: 'last', stop: last },
        {
          name: 'throws',
          stop: () => {
            throw new Error('at once')
          },
        },
        { name: 'rejects', stop: () => Promise.reject(new Error('later')) },
        { name: 'hangs', stop: () => new Promise(() => undefined) },
      ],
    })
    const failed: string[] = []
    caches.on('background-error', ({ task, error }) => failed.push(`${task}: ${error}`))
    const closed = caches.close()
    await clock.advanceAsync(2_000)
    await clock.advanceAsync(2_000)
    await closed
    expect(last).toHaveBeenCalledOnce()
    expect(failed).toEqual([
      'stop hangs: Error: hangs has not stopped for 2000 ms',
      'stop rejects: Error: later',
      'stop throws: Error: at once',
    ])
  })

  it('that fail after they have started are an event', async () => {
    const failed: string[] = []
    let listening: () => void = () => undefined
    const heard = new Promise<void>((resolve) => {
      listening = resolve
    })
    const caches = manager({
      plugins: [
        {
          name: 'late',
          start: (async () => {
            await heard
            throw new Error('no connection')
          }) as () => void,
        },
      ],
    })
    caches.on('background-error', ({ task, error }) => failed.push(`${task}: ${error}`))
    listening()
    await vi.waitUntil(() => failed.length > 0)
    expect(failed).toEqual(['start late: Error: no connection'])
  })

  it('whose codec steps do not fit together are refused', () => {
    const step = (id: number, required: boolean): CodecStep => ({
      id,
      name: `step ${id}`,
      required,
      encode: (bytes) => bytes,
      decode: (bytes) => bytes,
    })
    const remote = new MemoryServer().store()
    const plugins = [
      { name: 'seal', codecSteps: [step(20, true)] },
      { name: 'pack', codecSteps: [step(21, false)] },
    ]
    expect(() => manager({ remote, codec: structuredCodec, plugins })).toThrow(
      /codec step step 20\.required takes that the step is the last one that writes/,
    )
    expect(() => manager({ plugins })).toThrow(/step 20\.required/)
    plugins.reverse()
    expect(() => manager({ remote, codec: structuredCodec, plugins })).not.toThrow()
  })
})
