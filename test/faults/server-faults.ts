/** What servers do to the nodes, one thing after the other, all servers that take writes at once. */

import { setTimeout as delay } from 'node:timers/promises'
import type { RedisServer } from '../support/redis/redis-server.ts'

/** Well above the deadline of a call, and well short of what a Cluster or a Sentinel takes for death. */
const HANGS_MS = 400
const LASTS_MS = 800

export const SERVER_FAULTS: Readonly<
  Record<string, (masters: readonly RedisServer[]) => Promise<void>>
> = {
  async 'hang (SIGSTOP)'(masters) {
    await Promise.all(masters.map((master) => master.pause()))
    await delay(HANGS_MS)
    await Promise.all(masters.map((master) => master.resume()))
  },
  async 'are flushed (FLUSHALL)'(masters) {
    for (let n = 0; n < 3; n++) {
      await onEach(masters, 'FLUSHALL')
      await delay(LASTS_MS / 3)
    }
  },
  async 'forget scripts (SCRIPT FLUSH)'(masters) {
    for (let n = 0; n < 3; n++) {
      await onEach(masters, 'SCRIPT', 'FLUSH')
      await delay(LASTS_MS / 3)
    }
  },
  'are full and drop keys (allkeys-lru)': (masters) => full(masters, 'allkeys-lru'),
  'are full and refuse writes (OOM)': (masters) => full(masters, 'noeviction'),
}

async function full(masters: readonly RedisServer[], policy: string): Promise<void> {
  await onEach(masters, 'CONFIG', 'SET', 'maxmemory-policy', policy)
  await onEach(masters, 'CONFIG', 'SET', 'maxmemory', '1')
  await delay(LASTS_MS)
  await onEach(masters, 'CONFIG', 'SET', 'maxmemory', '0')
}

async function onEach(
  masters: readonly RedisServer[],
  name: string,
  ...args: readonly string[]
): Promise<void> {
  await Promise.all(masters.map((master) => master.command(name, ...args)))
}
