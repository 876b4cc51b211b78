/**
 * A state out of the events of a stream, with snapshots as cache entries.
 *
 * A snapshot says which event it was made at. That event is read once more: when the store has lost events (a failover, a restore of a
 * backup), the snapshot may be of events that are not there, and then all events are put together anew.
 */

import { type Cache, InvalidOptionError } from '@larder/core'
import {
  assertFunction,
  assertInteger,
  assertKnownOptions,
  type EventStoreParts,
  optionNames,
  orDefault,
} from '@larder/core/store'
import type { StoredEvent } from './event-values.ts'

export interface Fold<State, Output> {
  /** Makes the state of a stream without events. */
  readonly initial: () => State
  /** Makes the next state; it must not change the one it is given. */
  readonly apply: (state: State, event: StoredEvent<Output>) => State
  /** Where states are kept, so that not all events are read each time. @default no snapshots */
  readonly snapshot?: SnapshotOptions | undefined
}

export interface SnapshotOptions {
  /** A named cache of the manager, for snapshots only. Losing an entry costs time and nothing else. */
  readonly cache: Cache<unknown>
  /** How many events are put together before there is a new snapshot. 1 to 100 000. @default 100 */
  readonly every?: number | undefined
  /** Raise it when `apply` or the state changes: earlier snapshots are not used then. 0 to 1 000 000. @default 0 */
  readonly version?: number | undefined
}

/** The defaults of snapshots. */
export const SNAPSHOT_DEFAULTS = { every: 100, version: 0 } as const

export interface Folded<State> {
  readonly state: State
  /** The last version that is in it; 0 when there is none. Give it to `append` as `expected`. */
  readonly version: number
}

export interface FoldPlace<Output> {
  readonly store: string
  readonly stream: string
  readonly read: (from: number) => AsyncIterable<StoredEvent<Output>>
  readonly parts: EventStoreParts
}

/** What is in the cache. */
interface Snapshot {
  readonly state: unknown
  readonly version: number
  readonly position: number
  readonly at: number
}

const FOLD_NAMES = optionNames<Fold<unknown, unknown>>({
  initial: true,
  apply: true,
  snapshot: true,
})
const SNAPSHOT_NAMES = optionNames<SnapshotOptions>({ cache: true, every: true, version: true })

/** @throws InvalidOptionError; what reading and `apply` throw */
export async function foldStream<State, Output>(
  fold: Fold<State, Output>,
  place: FoldPlace<Output>,
): Promise<Folded<State>> {
  const snapshots = resolveFold(fold)
  const key = [place.store, place.stream, snapshots?.version ?? 0]
  const known = asSnapshot(await snapshots?.cache.get(key))
  const continued = known === undefined ? undefined : await continueFrom(fold, place, known)
  const made = continued ?? (await putTogether(fold, place.read(1)))
  const { state, last, count } = made
  if (last === undefined) return { state, version: 0 }
  const { version } = last
  if (snapshots !== undefined && count >= snapshots.every) {
    const kept: Snapshot = { state, version, position: last.position, at: last.at.getTime() }
    place.parts.work.run('snapshot', snapshots.cache.set(key, kept))
  }
  return { state, version }
}

interface Made<State, Output> {
  readonly state: State
  readonly last: StoredEvent<Output> | undefined
  readonly count: number
}

/** `undefined` when the event of the snapshot is not there, or is another one. */
async function continueFrom<State, Output>(
  fold: Fold<State, Output>,
  { read }: FoldPlace<Output>,
  { state, version, position, at }: Snapshot,
): Promise<Made<State, Output> | undefined> {
  const events = read(version)[Symbol.asyncIterator]()
  const { value: first, done } = await events.next()
  if (done === true) return undefined
  const isSame =
    first.version === version && first.position === position && first.at.getTime() === at
  if (!isSame) {
    await events.return?.()
    return undefined
  }
  const rest = { [Symbol.asyncIterator]: () => events }
  // It was kept under this key by a fold of this version.
  const made = await putTogether({ ...fold, initial: () => state as State }, rest)
  return { ...made, last: made.last ?? first }
}

async function putTogether<State, Output>(
  { initial, apply }: Fold<State, Output>,
  events: AsyncIterable<StoredEvent<Output>>,
): Promise<Made<State, Output>> {
  let state = initial()
  let last: StoredEvent<Output> | undefined
  let count = 0
  for await (const event of events) {
    state = apply(state, event)
    last = event
    count += 1
  }
  return { state, last, count }
}

/** What is in a cache may be anything that somebody put there. */
function asSnapshot(value: unknown): Snapshot | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { version, position, at } = value as Partial<Snapshot>
  const isOne = [version, position, at].every((each) => Number.isSafeInteger(each))
  return isOne && Number(version) >= 1 ? (value as Snapshot) : undefined
}

function resolveFold<State, Output>(
  fold: Fold<State, Output>,
): Required<SnapshotOptions & { every: number; version: number }> | undefined {
  const where = 'eventStore.fold'
  assertKnownOptions(fold, FOLD_NAMES, where)
  assertFunction(fold.initial, `${where}.initial`)
  assertFunction(fold.apply, `${where}.apply`)
  const { snapshot } = fold
  if (snapshot === undefined) return undefined
  assertKnownOptions(snapshot, SNAPSHOT_NAMES, `${where}.snapshot`)
  const { cache } = snapshot
  if (typeof cache?.get !== 'function' || typeof cache.set !== 'function') {
    const option = `${where}.snapshot.cache`
    const expected = 'a cache such as caches.cache("snapshots")'
    throw new InvalidOptionError({ option, expected, received: cache })
  }
  const every = orDefault(snapshot.every, SNAPSHOT_DEFAULTS.every)
  assertInteger(every, `${where}.snapshot.every`, { min: 1, max: 100_000 })
  const version = orDefault(snapshot.version, SNAPSHOT_DEFAULTS.version)
  assertInteger(version, `${where}.snapshot.version`, { min: 0, max: 1_000_000 })
  return { cache, every, version }
}
