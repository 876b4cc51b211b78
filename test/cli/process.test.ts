/** `larder` as a process: pipes, signals, memory. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'
import { startLarder } from './support/process.ts'

/** A million at night. */
const KEYS = Number(process.env['LARDER_CLI_KEYS'] ?? 40_000)

/** Sources are compiled when a process starts, which takes its time on a machine that is busy. */
const STARTS_MS = 120_000

describe.skipIf(process.platform === 'win32')('a process', () => {
  it(
    'whose reader leaves ends quietly',
    async () => {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace })
      const entries = Array.from({ length: 3_000 }, (_, i) => [`${i}`, 'v'] as const)
      await caches.cache('c').warm(entries)
      for (const args of [['keys'], ['--help']]) {
        const { code, lines, stderr } = await startLarder(args, namespace, '| head -n 1').ended
        expect([args, code, lines.length, stderr]).toEqual([args, 0, 1, 'code 0\n'])
      }
    },
    STARTS_MS,
  )

  it(
    'that is interrupted ends quietly, in a scan as in a watch',
    async () => {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace })
      await caches.cache('c').set('k', 'v')
      const { child, ended } = startLarder(['watch'], namespace)
      let said = ''
      child.stderr?.on('data', (text: string) => {
        said += text
      })
      await eventually('it listens', () => said.includes('Listening'), STARTS_MS)
      child.kill('SIGINT')
      const { code, stderr } = await ended
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/^Listening to .*\n0 messages\.\n$/),
      ])
    },
    STARTS_MS,
  )

  it('that only waits for a server ends with the code of an interruption', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, url: server.url })
    await caches.cache('c').set('k', 'v')
    const interrupt = new AbortController()
    let printed = ''
    const listing = larder(['evict', 'c:k'], namespace, {
      url: server.url,
      signal: interrupt.signal,
      isTerminal: true,
      onOutput: (text) => {
        printed = text
      },
    })
    interrupt.abort()
    const { code, stdout } = await listing
    expect([code, stdout, printed]).toEqual([130, '', ''])
    expect(await caches.cache('c').get('k')).toBe('v')
  })

  it('takes no more memory for many keys than for few', async () => {
    const namespace = freshNamespace()
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { caches } = startNode({ namespace, url: server.url })
    await caches.cache('c').set('k', 'v')
    const redis = new Redis(server.url)
    onTestFinished(() => redis.disconnect())
    await copyEntry(redis, namespace, KEYS)
    await redis.slowlog('RESET')
    await larder(['keys', '--long', '--limit', '2000'], namespace, { url: server.url })
    const before = heapAfterCollection()
    const heaps: number[] = []
    let lines = 0
    const { code } = await larder(['keys', '--long', '--json'], namespace, {
      url: server.url,
      onLine: () => {
        lines += 1
        if (lines % Math.floor(KEYS / 10) === 0) heaps.push(heapAfterCollection())
      },
    })
    expect(code).toBe(0)
    expect(lines).toBeGreaterThanOrEqual(KEYS)
    // All rows of the short form together take twice as much.
    expect(Math.max(...heaps) - before).toBeLessThan(2.5 * 2 ** 20)
    const slow = (await redis.slowlog('GET', 128)) as (readonly [
      number,
      number,
      number,
      readonly string[],
    ])[]
    expect(slow.filter(([, , , [name = '']]) => /keys/i.test(name))).toEqual([])
  }, 300_000)
})

/** Makes many entries of one, on the server. */
async function copyEntry(redis: Redis, namespace: string, count: number): Promise<void> {
  const lua = `local found = redis.call('KEYS', '{' .. ARGV[1] .. ':*}:c:k')
    local bytes = redis.call('GET', found[1])
    for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
      redis.call('SET', '{' .. ARGV[1] .. ':' .. (i % 64) .. '}:c:' .. i, bytes, 'PX', 3600000)
    end`
  const step = 20_000
  for (let from = 1; from <= count; from += step) {
    await redis.eval(lua, 0, namespace, from, Math.min(count, from + step - 1))
  }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
