/**
 * Takes one mechanism of the engine away, to show that the simulation sees what it is there for.
 *
 * By replacing methods of the engine's own classes while it runs, so that no copy of the sources is needed; what cannot be
 * reached like that is for test/ablations, which patches a copy.
 */

import { Flights } from '../../packages/core/src/cache/flight.ts'
import { Knowledge } from '../../packages/core/src/coherence/knowledge.ts'
import { OwnChanges } from '../../packages/core/src/coherence/own-changes.ts'
import { Partition } from '../../packages/core/src/coherence/partitions.ts'
import { RecoveryQueue } from '../../packages/core/src/coherence/recovery-queue.ts'
import { TagClock } from '../../packages/core/src/coherence/tag-clock.ts'
import type { Stamp } from '../../packages/core/src/entry/stamp.ts'
import { MemoryRemoteStore } from '../../packages/core/src/testing/memory/memory-remote-store.ts'
import { MemorySpace } from '../../packages/core/src/testing/memory/memory-space.ts'

/** Removes a mechanism; returns what brings it back. */
type Removal = () => () => void

/** The mechanisms that can be taken away, by name. */
export const REMOVALS: Readonly<Record<string, Removal>> = {
  'flight kill': () => replace(Flights.prototype, 'kill', () => undefined),
  'early birth': () =>
    replace(Knowledge.prototype, 'stamp', function (this: Knowledge, partition: number) {
      return withLateBirth(this, originalStamp.call(this, partition))
    }),
  'comparing heads': () =>
    replace(Partition.prototype, 'compare', function (this: Partition) {
      return this.isKnown ? 'level' : 'unknown'
    }),
  'the end of trust': () =>
    replace(Knowledge.prototype, 'verifiedAt', () => Number.POSITIVE_INFINITY),
  'doubt after lost history': () =>
    replace(Partition.prototype, 'restart', function (this: Partition, seq: number) {
      this.seq = seq
      this.heard = seq
    }),
  're-assertion': () =>
    replace(OwnChanges.prototype, 'of', () => ({ changes: [], wholePartition: false })),
  'the recovery queue': () => replace(RecoveryQueue.prototype, 'addKey', () => []),
  'judging by soft tags': () => replace(TagClock.prototype, 'softens', () => false),
  'noting heads': () =>
    replace(MemorySpace.prototype, 'noteHead', function (this: MemorySpace, partition, seq) {
      if (this.notedHead(partition) === undefined) originalNote.call(this, partition, seq)
    }),
  'comparing an updated entry': () =>
    replace(
      MemoryRemoteStore.prototype,
      'swap',
      function (this: MemoryRemoteStore, address, request) {
        return this.put(address, { ...request, since: 0 }).then((reply) => ({
          ...reply,
          stored: true,
        }))
      },
    ),
  'judging by tags': () => replace(TagClock.prototype, 'allows', () => true),
}

/** Runs something without a mechanism, or with everything in place for `undefined`. */
export async function without<Result>(
  mechanism: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  if (mechanism === undefined) return run()
  const remove = REMOVALS[mechanism]
  if (remove === undefined) {
    const known = Object.keys(REMOVALS).join(', ')
    throw new RangeError(`There is no mechanism '${mechanism}' to remove; there are: ${known}`)
  }
  const bringBack = remove()
  try {
    return await run()
  } finally {
    bringBack()
  }
}

const originalNote = MemorySpace.prototype.noteHead
const originalStamp = Knowledge.prototype.stamp

/** A stamp whose birth is what the node knows when it is asked, as if it had been taken after the load. */
function withLateBirth(knowledge: Knowledge, stamp: Stamp): Stamp {
  return Object.defineProperty({ ...stamp }, 'birth', {
    get: () => knowledge.tags.now,
    enumerable: true,
  })
}

function replace<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  by: Target[Name],
): () => void {
  const original = target[name]
  target[name] = by
  return () => {
    target[name] = original
  }
}
