/** When a connection is pinged: on a clock of the test's, over a socket that hears when the test says so. */

import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Connection } from './connection.ts'
import type { RedisClient } from './redis-client.ts'

const EVERY_MS = 1_000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

class QuietClient extends EventEmitter {
  readonly status = 'ready'
  readonly stream = { bytesRead: 100, cork: () => undefined, uncork: () => undefined }
  pings = 0
  answers = true

  ping(): Promise<string> {
    this.pings += 1
    if (!this.answers) return new Promise(() => undefined)
    this.stream.bytesRead += 7
    return Promise.resolve('PONG')
  }

  disconnect(): void {
    this.emit('end')
  }
}

function watched(): { client: QuietClient; connection: Connection } {
  const client = new QuietClient()
  const connection = new Connection(client as unknown as RedisClient)
  connection.watch(EVERY_MS)
  return { client, connection }
}

it('is pinged in each interval in which nothing else is heard', async () => {
  const { client } = watched()
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
  expect(client.pings).toBe(10)
})

it('is not pinged while something else is heard', async () => {
  const { client } = watched()
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  const before = client.pings
  for (let i = 0; i < 20; i++) {
    client.stream.bytesRead += 1
    await vi.advanceTimersByTimeAsync(EVERY_MS / 4)
  }
  expect(client.pings).toBe(before)
})

it('that dies as soon as something was heard is given up after one interval and the time for a ping', async () => {
  const { client, connection } = watched()
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  client.stream.bytesRead += 1
  client.answers = false
  let hasEnded = false
  void connection.ended.then(() => {
    hasEnded = true
  })
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS + 1)
  expect(hasEnded).toBe(true)
})

it('is pinged where it cannot be seen whether anything was heard', async () => {
  const { client } = watched()
  Object.assign(client.stream, { bytesRead: undefined })
  await vi.advanceTimersByTimeAsync(3 * EVERY_MS)
  expect(client.pings).toBeGreaterThanOrEqual(3)
})
