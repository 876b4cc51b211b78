import type { Socket } from 'node:net'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished, vi } from 'vitest'
import { sharedRedisUrl } from '../../../../test/support/redis/shared-redis.ts'
import { freshNamespace } from '../../testing/stage.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { logKey } from '../key-layout.ts'
import { ScriptRunner } from './script-runner.ts'

it('writes the calls of a tick together, a few at a time, and answers each by itself', async () => {
  const client = new Redis(sharedRedisUrl())
  onTestFinished(() => client.disconnect())
  await client.ping()
  const runner = new ScriptRunner(() => client as unknown as RedisClient)
  const keys = [logKey(freshNamespace(), 1)]
  const call = (): Promise<unknown> => runner.run({ script: 'openLogs', keys, args: [1] })
  await call()
  const { stream } = client as unknown as { stream: Socket }
  const before = { written: stream.bytesWritten, corks: vi.spyOn(stream, 'cork') }
  const replies = await Promise.all(Array.from({ length: 64 }, call))
  expect(new Set(replies.map(String)).size).toBe(1)
  expect(before.corks).toHaveBeenCalledTimes(4)
  expect(stream.bytesWritten).toBeGreaterThan(before.written)
  expect(stream.writableCorked).toBe(0)
})

it('rejects while there is no connection', async () => {
  const runner = new ScriptRunner(() => undefined)
  await expect(
    runner.run({ script: 'openLogs', keys: ['{a:1}'], args: [1] }),
  ).rejects.toMatchObject({
    code: 'LARDER_STORE_UNAVAILABLE',
  })
})

it('refuses numbers that Redis would not keep', async () => {
  const runner = new ScriptRunner(() => undefined)
  for (const number of [2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY]) {
    const call = runner.run({ script: 'changesSince', keys: ['{a:1}'], args: [number] })
    await expect(call).rejects.toThrow(RangeError)
  }
})
