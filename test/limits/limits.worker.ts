/** A process with a limiter; the test tells it what to ask. */

import { type CacheManager, createCacheManager, type LimiterOptions } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'

export interface LimitsWorkerInit {
  readonly namespace: string
  readonly store: RedisStoreOptions
}

let caches: CacheManager

function start({ namespace, store }: LimitsWorkerInit): void {
  caches = createCacheManager({ namespace, local: lruStore(), remote: redisStore(store) })
}

/** Asks until told otherwise by `times`; how many were allowed, by who decided. */
async function consume(
  options: LimiterOptions,
  key: string,
  times: number,
  together = 20,
): Promise<Record<string, number>> {
  const limiter = caches.limiter(options)
  const counts: Record<string, number> = {}
  for (let asked = 0; asked < times; asked += together) {
    const verdicts = await Promise.all(Array.from({ length: together }, () => limiter.consume(key)))
    for (const { allowed, source } of verdicts) {
      const outcome = `${allowed ? 'allowed' : 'refused'} ${source}`
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
  }
  return counts
}

/** Waits for turns one after the other; when each came, on the clock all processes of a machine share. */
async function takeTurns(
  options: LimiterOptions,
  key: string,
  times: number,
): Promise<readonly number[]> {
  const limiter = caches.limiter(options)
  const turns: number[] = []
  for (let i = 0; i < times; i++) {
    const { allowed } = await limiter.consume(key)
    if (allowed) turns.push(Date.now())
  }
  return turns
}

/** Takes a permit and never gives it back. */
async function hold(options: LimiterOptions, key: string): Promise<boolean> {
  const { allowed } = await caches.limiter(options).consume(key)
  return allowed
}

async function stop(): Promise<void> {
  await caches.close()
}

export const worker = { start, consume, takeTurns, hold, stop }
