import { randomBytes } from 'node:crypto'
import { createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type EncryptionKey,
  type EncryptionOptions,
  encryption,
  type LoadKeys,
} from './encryption.ts'

const [first, second] = [{ key: randomBytes(32) }, { key: randomBytes(32) }]
const server = new MemoryServer()
let clock: ManualClock
let namespace = 0

beforeEach(() => {
  clock = new ManualClock()
  namespace += 1
})

function startNode(options: EncryptionOptions, times: ManualClock = clock) {
  const plugin = encryption(options)
  const news: string[] = []
  const caches = createCacheManager({
    namespace: `keys${namespace}`,
    default: false,
    logger: false,
    remote: server.store(),
    codec: structuredCodec,
    clock: times,
    plugins: [plugin],
    defaults: { ttl: '10h', jitter: 0, maxStaleness: '1h' },
  })
  caches.on('encryption:keys', ({ state, reading }) => news.push(`${state} ${reading.length}`))
  const close = async (): Promise<void> => {
    const closed = caches.close()
    await times.advanceAsync(5_000)
    await closed
  }
  onTestFinished(close)
  return { caches, plugin, news, close, cache: caches.cache<string>('c') }
}

const loader = (load: LoadKeys) => vi.fn<LoadKeys>(load)

describe('a key source', () => {
  it('is asked when the manager is made, and reads and writes wait for its first keys', async () => {
    let give: (keys: readonly EncryptionKey[]) => void = () => undefined
    const keys = loader(
      () =>
        new Promise((resolve) => {
          give = resolve
        }),
    )
    const node = startNode({ keys })
    expect(keys).toHaveBeenCalledOnce()
    const written = node.cache.set('k', 'v')
    await clock.advanceAsync(500)
    give([first])
    await clock.advanceAsync(0)
    await written
    expect(node.news).toEqual(['loaded 1'])
    const reader = startNode({ keys: [first] })
    expect(await reader.cache.get('k')).toBe('v')
    await clock.advanceAsync(3_600_000)
    expect(keys).toHaveBeenCalledOnce()
  })

  it('that does not answer holds nobody up for long: misses, and nothing is stored', async () => {
    await startNode({ keys: [first] }).cache.set('there', 'v')
    const node = startNode({ keys: () => new Promise(() => undefined) })
    const failures: string[] = []
    node.caches.on('background-error', ({ task }) => failures.push(task))
    const undecodable: unknown[] = []
    node.caches.on('undecodable', ({ reason, error }) => undecodable.push([reason, error]))
    const load = vi.fn(async () => 'loaded')
    const reading = node.cache.getOrLoad('there', load)
    await clock.advanceAsync(1_000)
    expect(await reading).toBe('loaded')
    // Those that come later do not wait at all.
    for (let n = 0; n < 50; n++) await node.cache.set(`k${n}`, 'v')
    expect(load).toHaveBeenCalledOnce()
    expect(undecodable).toEqual([['step', expect.objectContaining({ reason: 'no-keys' })]])
    expect(failures).toEqual(Array(10).fill('codec steps of c'))
    const plain = createCacheManager({
      namespace: `keys${namespace}`,
      default: false,
      remote: server.store(),
      codec: structuredCodec,
    })
    onTestFinished(() => plain.close())
    expect(await plain.cache('c').get('k0')).toBeUndefined()
  })

  it('is asked again and again, and one that fails leaves the keys as they are', async () => {
    const answers: (() => readonly EncryptionKey[])[] = [
      () => [first],
      () => {
        throw new Error('the service is away')
      },
      () => [],
      () => [{ key: 'no key' }],
      () => [second, first],
      () => [second, first],
    ]
    const keys = loader(async () => (answers.shift() ?? (() => [second]))())
    const node = startNode({ keys, refreshEvery: '1m' })
    const errors: unknown[] = []
    node.caches.on('encryption:keys', ({ error }) => errors.push(error))
    await clock.advanceAsync(0)
    await node.cache.set('k', 'v')
    const [id] = node.plugin.usage().keys.map((key) => key.id)
    await clock.advanceAsync(60_000)
    expect(node.news).toEqual(['loaded 1', 'failed 1'])
    await node.cache.set('k', 'w')
    // Sooner than once a minute: after one second, two, four.
    await clock.advanceAsync(3_000)
    expect([keys.mock.calls.length, node.news.length]).toEqual([4, 2])
    await clock.advanceAsync(4_000)
    expect(node.news).toEqual(['loaded 1', 'failed 1', 'loaded 2'])
    expect(node.plugin.usage().keys.map((key) => key.id)).toContain(id)
    await clock.advanceAsync(120_000)
    expect(node.news).toEqual(['loaded 1', 'failed 1', 'loaded 2', 'loaded 1'])
    expect(`${errors[1]}`).toBe('Error: the service is away')
    expect(node.plugin.usage().keys.map((key) => key.id)).not.toContain(id)
  })

  it('that never answers is given up, told so, and asked again', async () => {
    const signals: AbortSignal[] = []
    const keys = loader(({ signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    })
    const node = startNode({ keys })
    await clock.advanceAsync(10_000)
    expect(node.news).toEqual(['failed 0'])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    await clock.advanceAsync(1_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await node.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    await clock.advanceAsync(100_000)
    expect(signals).toHaveLength(2)
  })

  it('of a plugin of several managers is one, and ends with the last of them', async () => {
    const keys = loader(async () => [first])
    const plugin = encryption({ keys, refreshEvery: '1m' })
    const start = (name: string) =>
      createCacheManager({
        namespace: name,
        default: false,
        remote: server.store(),
        codec: structuredCodec,
        clock,
        plugins: [plugin],
      })
    const [a, b] = [start('a'), start('b')]
    const heard: string[] = []
    for (const caches of [a, b]) {
      caches.on('encryption:keys', ({ state }) => heard.push(`${caches.namespace} ${state}`))
    }
    await clock.advanceAsync(60_000)
    expect([keys.mock.calls.length, heard]).toEqual([2, ['a loaded', 'b loaded']])
    const close = async (caches: typeof a): Promise<void> => {
      const closed = caches.close()
      await clock.advanceAsync(5_000)
      await closed
    }
    await close(a)
    await clock.advanceAsync(60_000)
    expect(keys).toHaveBeenCalledTimes(3)
    await close(b)
    await clock.advanceAsync(600_000)
    expect(keys).toHaveBeenCalledTimes(3)
    const again = start('c')
    expect(keys).toHaveBeenCalledTimes(4)
    await close(again)
  })
})
