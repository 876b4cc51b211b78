/** A process with a queue, which dies where the test says. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  createWriteBehind,
  type FlushContext,
  type WriteQueue,
  type WrittenWrite,
} from '@larder/plugins/write-behind'
import { redisStore } from '@larder/redis-store'
import { eventually } from '../support/eventually.ts'
import { Table } from './support/table.ts'

/** `committed`: after the commit and before the acknowledgement. `half`: after half of a batch. `frozen`: waits until the test lets it go on. `bad`: whenever it is given this key. */
export type Death = 'enqueued' | 'taken' | 'half' | 'committed' | 'frozen' | 'bad' | 'none'

export interface QueueWorkerInit {
  readonly namespace: string
  readonly url: string
  readonly tableUrl: string
  readonly death: Death
  readonly holdMs: number
  readonly every?: number
  readonly attempts?: number
}

let queue: WriteQueue<number>

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function start({
  namespace,
  url,
  tableUrl,
  death,
  holdMs,
  every = 5,
  attempts,
}: QueueWorkerInit): void {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url }),
    logger: false,
  })
  const table = new Table(tableUrl, namespace)
  const write = async (
    writes: readonly WrittenWrite<number>[],
    context: FlushContext,
  ): Promise<void> => {
    if (death === 'taken') die()
    if (death === 'bad' && writes.some(({ key }) => key === 'bad')) die()
    if (death === 'half') {
      await table.save(writes.slice(0, writes.length / 2), context)
      die()
    }
    if (death === 'frozen' && !(await table.isNoted('frozen'))) {
      await table.note('frozen')
      // The signal is ignored: the worst of writers.
      await eventually('the test lets it go on', () => table.isNoted('go'), 60_000)
    }
    await table.save(writes, context)
    if (death === 'committed') die()
  }
  queue = createWriteBehind<number>(caches, {
    name: 'progress',
    // One that dies when it has queued must not write before.
    every: death === 'enqueued' ? '1h' : every,
    hold: holdMs,
    attempts,
    backoff: '10ms',
    maxBackoff: '100ms',
    storeTimeout: '5s',
    drain: 0,
    write,
  })
}

async function putMany(values: readonly (readonly [string, number])[]): Promise<void> {
  await queue.putMany(values)
}

/** Dies once it is queued. */
async function putAndDie(values: readonly (readonly [string, number])[]): Promise<void> {
  await queue.putMany(values)
  die()
}

/** Puts growing values until the time is over. Returns the last one of each key that was queued. */
async function putFor(
  keys: readonly string[],
  { from, ms }: { readonly from: number; readonly ms: number },
): Promise<Readonly<Record<string, number>>> {
  const last: Record<string, number> = {}
  const endsAt = Date.now() + ms
  for (let value = from; Date.now() < endsAt; value += 1) {
    for (const key of keys) {
      try {
        await queue.put(key, value)
        last[key] = value
      } catch {
        // Queued or not: the next one takes its place.
        delete last[key]
      }
    }
  }
  // What is known of the last one of each key.
  for (const key of keys) {
    if (last[key] !== undefined) continue
    await eventually(`${key} is queued`, async () => {
      await queue.put(key, from + 1_000_000)
      return true
    })
    last[key] = from + 1_000_000
  }
  return last
}

async function flush(): Promise<void> {
  await queue.flush({ timeout: '20s' })
}

/** Returns the keys of the dead letters as soon as there are some. */
function untilBuried(): Promise<readonly string[]> {
  return eventually(
    'there is a dead letter',
    async () => {
      const letters = await queue.deadLetters()
      return letters.length > 0 ? letters.map(({ key }) => key) : undefined
    },
    60_000,
  )
}

export const worker = { start, putMany, putAndDie, putFor, flush, untilBuried }
