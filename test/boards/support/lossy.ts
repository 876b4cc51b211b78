/** A store of boards in this process whose answers can be lost after it has done what it was asked. */

import type { CacheManager } from '@larder/core'
import type { BoardProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localBoards } from '@larder/local-store'
import { openBoards } from './stage.ts'

export interface LossyStage {
  readonly caches: CacheManager
  readonly clock: ManualClock
  readonly faults: { losesAnswers: boolean; isAway: boolean }
  readonly store: LossyStore
}

interface LossyStore {
  /** What was counted, and no duplicate. */
  readonly added: readonly number[]
  /** How many calls of `add` there were, and how many of them at one time. */
  readonly asked: number
  readonly mostAtOnce: number
}

export function openLossy(): LossyStage {
  const faults = { losesAnswers: false, isAway: false }
  const seen = { added: [] as number[], asked: 0, mostAtOnce: 0 }
  let running = 0
  const clock = new ManualClock()
  const store = localBoards({ now: () => clock.wall() })
  const lossy: BoardProvider = {
    name: 'lossy',
    capabilities: store.capabilities,
    open: (namespace) => store.open(namespace),
    submit: (...args) => store.submit(...args),
    look: (...args) => store.look(...args),
    remove: (...args) => store.remove(...args),
    counts: (...args) => store.counts(...args),
    seen: (...args) => store.seen(...args),
    unique: (...args) => store.unique(...args),
    close: () => store.close(),
    async add(...args) {
      seen.asked += 1
      running += 1
      seen.mostAtOnce = Math.max(seen.mostAtOnce, running)
      await Promise.resolve()
      running -= 1
      if (faults.isAway) throw new Error('away')
      const reply = await store.add(...args)
      if (reply.outcome === 'counted') seen.added.push(args[1].by)
      if (faults.losesAnswers) throw new Error('lost')
      return reply
    },
  }
  const { caches } = openBoards('in process', { boards: lossy, clock })
  return { caches, clock, faults, store: seen }
}
