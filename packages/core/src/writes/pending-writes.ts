/**
 * What waits in a write queue, for loads of its keys.
 *
 * A load asks after it has begun (it holds the lease, and its flight can be killed) and before its source is read. What is found is the
 * result. Where nothing is found, whatever was queued before is committed, because it is acknowledged after the commit, so the source
 * has it. What is queued later is put into the cache, or evicts the key, after it is queued: that voids the lease and kills the
 * flight, so this load keeps nothing.
 *
 * Changes that wait to be merged make no value by themselves, and may be committed without being acknowledged. They are written first,
 * and the source is read then.
 */

import type { Clock } from '../contracts/clock.ts'
import type { WaitingWrite, WriteProvider } from '../contracts/write-provider.ts'
import type { ProviderStore } from '../guard/provider-store.ts'

/** `unknown`: the source may be older than what waits; what is loaded from it must not be kept. */
export type Pending =
  | { readonly kind: 'none' | 'unknown' }
  | { readonly kind: 'value'; readonly value: unknown }

export interface PendingParts {
  readonly store: ProviderStore<WriteProvider>
  readonly flushers: ReadonlyMap<string, () => void>
  readonly values: {
    open(bytes: Uint8Array, whose: { of: string; id: string }): Promise<unknown>
  }
  readonly clock: Clock
  /** How long one call to the store may take, and how long changes are waited for, ms. */
  readonly timeoutMs: number
}

const NONE: Pending = { kind: 'none' }
const UNKNOWN: Pending = { kind: 'unknown' }
const FIRST_WAIT_MS = 5
const MOST_WAIT_MS = 100

export class PendingWrites {
  readonly #parts: () => PendingParts

  /** `parts` is asked at the first load. */
  constructor(parts: () => PendingParts) {
    this.#parts = parts
  }

  /** What waits under some keys, in order. Never rejects because of the store. */
  async of(queue: string, keys: readonly string[]): Promise<readonly Pending[]> {
    const parts = this.#parts()
    const waiting = await waitingFor(parts, queue, keys)
    if (waiting === undefined) return keys.map(() => UNKNOWN)
    const several = keys.filter((_, i) => waiting[i]?.kind === 'several')
    const seen = new Map(keys.map((key, i) => [key, waiting[i]?.version ?? 0]))
    const unwritten = several.length === 0 ? [] : await writeFirst(parts, queue, { several, seen })
    return Promise.all(
      keys.map(async (key, i) => {
        const write = waiting[i]
        if (write === undefined) return NONE
        if (write.kind === 'several') return unwritten.includes(key) ? UNKNOWN : NONE
        return waitingValue(parts, { queue, key, write })
      }),
    )
  }
}

async function waitingFor(
  { store, timeoutMs }: PendingParts,
  queue: string,
  keys: readonly string[],
): Promise<readonly (WaitingWrite | undefined)[] | undefined> {
  try {
    return await store.ask('waiting', timeoutMs, (provider) => provider.waiting(queue, keys))
  } catch {
    return undefined
  }
}

/** Has changes written. Returns the keys of which not all that was seen is. */
async function writeFirst(
  parts: PendingParts,
  queue: string,
  { several, seen }: { several: readonly string[]; seen: ReadonlyMap<string, number> },
): Promise<readonly string[]> {
  const { store, clock, timeoutMs } = parts
  const endsAt = clock.now() + timeoutMs
  try {
    await store.ask('hurry', timeoutMs, (provider) => provider.hurry(queue, several))
  } catch {
    return several
  }
  parts.flushers.get(queue)?.()
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(MOST_WAIT_MS, waitMs * 2)) {
    const left = endsAt - clock.now()
    if (left > 0) await pause(clock, Math.min(waitMs, left))
    const waiting = await waitingFor(parts, queue, several)
    if (waiting === undefined) return several
    // What came later evicts the key, and with it the load.
    const unwritten = several.filter((key, i) => {
      const since = waiting[i]?.since
      return since !== undefined && since <= (seen.get(key) ?? 0)
    })
    if (unwritten.length === 0 || clock.now() >= endsAt) return unwritten
  }
}

async function waitingValue(
  { values }: PendingParts,
  { queue, key, write }: { queue: string; key: string; write: WaitingWrite },
): Promise<Pending> {
  if (write.kind === 'delete') return { kind: 'value', value: undefined }
  try {
    return {
      kind: 'value',
      value: await values.open(write.bytes, { of: `writes:${queue}`, id: key }),
    }
  } catch {
    // It will be a dead letter.
    return UNKNOWN
  }
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(delayMs, resolve, 'caller'))
}
