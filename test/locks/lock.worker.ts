/** A process that takes locks; the test tells it which. */

import { type CacheManager, createCacheManager, type Lock } from '@larder/core'
import { fencedValues, redisLocks } from '@larder/redis-store'

export interface LockWorkerInit {
  readonly url: string
  readonly namespace: string
}

let caches: CacheManager
let registers: ReturnType<typeof fencedValues>
const held = new Map<string, Lock>()

function start({ url, namespace }: LockWorkerInit): void {
  caches = createCacheManager({ namespace, locks: redisLocks({ url }) })
  registers = fencedValues(namespace, { url })
}

/** Takes a lock and keeps it; its fence. */
async function hold(key: string, termMs: number, waitMs: number): Promise<number> {
  const lock = await caches.locks.acquire(key, { lease: termMs, wait: waitMs })
  held.set(key, lock)
  return lock.fence
}

/** Begins to wait for a lock and says nothing more about it. */
function wait(key: string, waitMs: number): void {
  void hold(key, 10_000, waitMs).catch(() => undefined)
}

async function release(key: string): Promise<boolean> {
  return (await held.get(key)?.release()) ?? false
}

function state(key: string): { readonly remainingMs: number; readonly isAborted: boolean } {
  const lock = held.get(key)
  return { remainingMs: lock?.remainingMs() ?? 0, isAborted: lock?.signal.aborted ?? true }
}

/** Writes under the fence of a lock that was taken earlier, whatever has become of it. */
function writeFenced(key: string, value: string): Promise<boolean> {
  return registers.set(key, value, { fence: held.get(key)?.fence ?? 0 })
}

/** Adds one to a register `times` times, each under the lock: read, pause, write. The fences it got, in order. */
async function count(key: string, times: number): Promise<readonly number[]> {
  const fences: number[] = []
  for (let n = 0; n < times; n++) {
    await caches.locks.run(key, { lease: '1m', wait: '2m' }, async ({ fence }) => {
      const before = Number((await registers.get(key)) ?? 0)
      await new Promise((resolve) => setImmediate(resolve))
      if (!(await registers.set(key, String(before + 1), { fence }))) throw new Error('refused')
      fences.push(fence)
    })
  }
  return fences
}

async function stop(): Promise<void> {
  await registers.close()
  await caches.close()
}

export const worker = { start, hold, wait, release, state, writeFenced, count, stop }
