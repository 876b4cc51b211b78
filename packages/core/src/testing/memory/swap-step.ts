/** Replaces an entry if it still is the one that the writer saw: one atomic step, as a store's script does it. */

import type { EntryAddress, SwapReply, SwapRequest } from '../../contracts/remote-store.ts'
import { decodeHeader, type EntryHeader, FLAG } from '../../entry/envelope.ts'
import { stampCreation } from '../../entry/header-patch.ts'
import { record, remove } from './entry-steps.ts'
import { find, isWaitedFor, nowMsOf, type Step } from './step.ts'

export function swap(step: Step, address: EntryAddress, request: SwapRequest): SwapReply {
  const { bytes, livesMs } = request
  const nowMs = nowMsOf(step)
  const { partition, key } = address
  const log = step.space.log(partition, step.nowUs)
  const found = find(step, address)?.header
  const isRepeated = isWrittenBy(found, bytes)
  if (!isRepeated && !isAsSeen(found, request, (since) => log.mayHaveChanged(key, since))) {
    const there = step.space.get(address, nowMs)
    return {
      stored: false,
      bytes: there === undefined ? undefined : Buffer.from(there),
      seq: log.seq,
      nowMs,
    }
  }
  const isUrgent = isWaitedFor(step, address)
  if (bytes.length === 0) remove(step, address, 0)
  else if (!isRepeated) {
    const stored = Buffer.from(bytes)
    stampCreation(stored, nowMs)
    step.space.set(address, stored, nowMs + livesMs)
  }
  return { stored: true, ...record(step, partition, [key], { isUrgent }) }
}

/** Tells whether the entry is what this very request has written, whose reply was lost. */
function isWrittenBy(found: EntryHeader | undefined, bytes: Uint8Array): boolean {
  const commit = decodeHeader(bytes)?.commit
  return commit !== undefined && found?.commit === commit
}

function isAsSeen(
  found: EntryHeader | undefined,
  { seen, since }: SwapRequest,
  hasChangedSince: (since: number) => boolean,
): boolean {
  if ((found?.commit ?? 0) !== seen) return false
  if (since !== 0) return !hasChangedSince(since)
  return found !== undefined && (found.flags & FLAG.stale) === 0
}
