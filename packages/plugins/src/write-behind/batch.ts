/**
 * Writes what was taken: all of it at once, and when that fails, halves of it, down to the writes that fail alone.
 *
 * What is written is acknowledged at once, so that a crash or a failure later does not write it again. When nothing succeeds, the
 * database is away: that is found out in about as many calls as it takes to halve a batch down to one write, and not in two for each write.
 */

import { RejectedWriteError } from '@larder/core'
import type { TakenWrite, WrittenKey } from '@larder/core/store'
import type { Failures } from './failures.ts'
import type { HeldQueue } from './held-queue.ts'
import type { WrittenWrite } from './written-write.ts'

/** A write, or what it could not be made with. */
export type Prepared =
  | { readonly taken: TakenWrite; readonly write: WrittenWrite<unknown> }
  | { readonly taken: TakenWrite; readonly error: unknown }

export type Ready = Extract<Prepared, { write: unknown }>

type Writable = Pick<Ready, 'write'>

/** What a batch is written with. */
export interface BatchParts {
  readonly held: Pick<HeldQueue, 'isHeld'>
  readonly failures: Pick<Failures, 'hasSucceeded' | 'succeeded'>
  /** Calls the writer once. Rejects also when the hold is lost meanwhile. */
  call(writes: readonly WrittenWrite<unknown>[]): Promise<void>
  /** @throws what the store fails with */
  acknowledge(written: readonly WrittenKey[]): Promise<void>
}

/** A write that failed alone. */
export interface Failed {
  readonly written: WrittenKey
  readonly error: unknown
  /** It will never succeed. */
  readonly isFinal: boolean
}

export interface BatchOutcome {
  readonly failed: readonly Failed[]
  /** Nothing of several writes succeeded. */
  readonly isOutage: boolean
  /** The last thing that the writer failed with. */
  readonly error: unknown
}

/** Calls that may fail after each other, beyond those that halve the batch. */
const MORE_CALLS = 2

export async function writeBatch(
  parts: BatchParts,
  all: readonly Writable[],
): Promise<BatchOutcome> {
  const { held, failures } = parts
  const failed: Failed[] = []
  let left = Math.ceil(Math.log2(Math.max(1, all.length))) + 1 + MORE_CALLS
  let error: unknown
  let isOutage = false
  const waiting: (readonly Writable[])[] = [all]
  for (let some = waiting.pop(); some !== undefined; some = waiting.pop()) {
    if (some.length === 0) continue
    if (!held.isHeld) break
    if (left <= 0 && !failures.hasSucceeded) {
      isOutage = true
      break
    }
    try {
      await parts.call(some.map(({ write }) => write))
    } catch (reason) {
      error = reason
      if (!held.isHeld) break
      left -= 1
      const [only] = some
      if (some.length > 1) waiting.push(...halves(some))
      else if (only !== undefined)
        failed.push({ written: only.write, error: reason, isFinal: isFinal(reason) })
      continue
    }
    // Before it is acknowledged: that it was written is known, whatever the store says.
    failures.succeeded(some.map(({ write }) => write))
    await parts.acknowledge(some.map(({ write }) => write))
  }
  // One write alone says nothing about the others.
  const nothing = error !== undefined && !failures.hasSucceeded && all.length > 1
  return { failed, isOutage: isOutage || nothing, error }
}

/** In any order: the same one each time could begin with writes that all fail, and never come to the others. */
function halves(some: readonly Writable[]): readonly (readonly Writable[])[] {
  const middle = some.length >> 1
  const both = [some.slice(0, middle), some.slice(middle)]
  return Math.random() < 0.5 ? both : both.toReversed()
}

/** Also that of another copy of the package. */
function isFinal(error: unknown): boolean {
  return error instanceof RejectedWriteError
}
