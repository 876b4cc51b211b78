/**
 * The bytes of an entry for the store: the codec's bytes go through the plugins' steps, and the header is put before them.
 *
 * A step may bind the bytes to what the header says. So everything that no store changes is fixed before: the commit id, the
 * birth, the tags, the kind. Times are not among it, and may still be shortened.
 */

import { encodeEntry, FLAG, MARK } from '../entry/envelope.ts'
import type { Keepable } from './keep.ts'
import { randomId } from './lease.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { EncodedValue } from './value-pipeline.ts'

const NO_BYTES = new Uint8Array(0)

/** A result, the bytes that the codec made of it, and the birth that it is to have. */
export interface Unsealed {
  readonly kept: Keepable
  readonly payload: Uint8Array
  readonly birth: number
}

/** Bytes that have gone through the steps, and the write that they belong to. */
export interface Sealed extends EncodedValue {
  readonly commit: number
  readonly birth: number
}

/**
 * Applies the plugins' steps, under a new commit id; `undefined` when a step fails, which is reported: then the value stays
 * out of the shared tier. A promise only where a step is asynchronous.
 */
export function sealed(
  node: Pick<CacheNode, 'values' | 'events' | 'clock' | 'stepFailures'>,
  call: ReadCall,
  { kept, payload, birth }: Unsealed,
): Sealed | undefined | Promise<Sealed | undefined> {
  const { values } = node
  const commit = randomId()
  if (values === undefined) return undefined
  const entry = {
    cache: call.cache,
    key: call.fullKey,
    flags: flagsOf(kept),
    commit,
    birth,
    schema: call.policy.schema,
    tags: kept.tags,
  }
  const failed = (error: unknown): undefined => {
    // With a key service that is away, every write fails.
    const isTold = node.stepFailures.take(call.cache, node.clock.now()) > 0
    const task = `codec steps of ${call.cache}`
    if (isTold) node.events.emit('background-error', { task, error })
    return undefined
  }
  try {
    const made = values.seal(payload, entry)
    if (!(made instanceof Promise)) return { ...made, commit, birth }
    return made.then((encoded) => ({ ...encoded, commit, birth }), failed)
  } catch (error) {
    return failed(error)
  }
}

/** Returns the stored form of something sealed. `kept` may have shorter lifetimes than when it was sealed. */
export function storedForm({ policy }: ReadCall, kept: Keepable, value: Sealed): Buffer {
  return encodeEntry({
    flags: flagsOf(kept),
    commit: value.commit,
    birth: value.birth,
    ...kept.lifetimes,
    loadMs: kept.loadMs,
    schema: policy.schema,
    steps: value.steps,
    tags: kept.tags,
    payload: value.payload,
  })
}

/** Returns what is stored in the place of a value whose loads are not shared for a while. */
export function markOf({ policy }: ReadCall, birth: number, forMs: number): Buffer {
  return encodeEntry({
    flags: MARK,
    commit: randomId(),
    birth,
    freshForMs: forMs,
    staleForMs: forMs,
    livesForMs: forMs,
    loadMs: 0,
    schema: policy.schema,
    steps: [],
    tags: [],
    payload: NO_BYTES,
  })
}

function flagsOf({ kind, isPut, isRefreshed }: Keepable): number {
  const origin = (isPut === true ? FLAG.put : 0) + (isRefreshed === true ? FLAG.refreshed : 0)
  return (kind === 'value' ? 0 : FLAG[kind]) + origin
}
