/** Writes many values: takes them from an iterable, and writes some at a time. */

import type { Key } from '../keys/key-text.ts'
import {
  assertFunction,
  assertInteger,
  assertIterable,
  assertKnownOptions,
  assertPair,
  assertSignal,
} from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import type { EntryOptions } from './entry-options.ts'
import type { PutResult } from './put-ends.ts'

export interface WarmOptions<Value> extends EntryOptions<Value> {
  /** Called after every chunk with what became of the entries so far. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined
  /** After how many entries `onProgress` is called. 1 to 10 000. @default 200 */
  readonly chunk?: number | undefined
  /** Ends it: the call waits for the writes under way, then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** What became of the entries that `warm` was given so far. */
export interface WarmProgress {
  /** Kept where the policy says, or in this process where they are too large for the shared tier. */
  readonly written: number
  /** Not kept: negative results without `negativeTtl`, a `ttl` of 0, or others wrote the key at the same time. */
  readonly skipped: number
  /** Did not reach the store: each waits for it, or its key is evicted. */
  readonly failed: number
}

const NAMES = optionNames<WarmOptions<unknown>>({
  tags: true,
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
  onProgress: true,
  chunk: true,
  signal: true,
})
/** The defaults. */
export const WARM_DEFAULTS = { chunk: 200 } as const satisfies WarmOptions<unknown>
const LARGEST_CHUNK = 10_000
/** How many writes are under way at once. More would only wait for the store, one behind the other, and time out. */
const MOST_AT_ONCE = 200

/** Writes one value. Rejects because of the store only with `onRemoteFailure: 'throw'`. */
export type WriteOne<Value> = (
  pair: readonly [Key, Value],
  options: EntryOptions<Value>,
) => Promise<PutResult>

/** Where entries go. */
export interface WarmPlace<Value> {
  /** How messages name it. */
  readonly where: string
  /** @throws InvalidOptionError for options that no entry could be written with */
  check(options: EntryOptions<Value>): void
  readonly write: WriteOne<Value>
}

/** Writes what `entries` gives; returns how many were written. */
export async function warmUp<Value>(
  entries: AsyncIterable<readonly [Key, Value]> | Iterable<readonly [Key, Value]>,
  options: WarmOptions<Value>,
  { where, check, write }: WarmPlace<Value>,
): Promise<number> {
  const { onProgress, signal, chunk, entryOptions } = resolveWarmOptions(options, where)
  check(entryOptions)
  assertIterable(entries, `${where}.entries`)
  const done = { written: 0, skipped: 0, failed: 0 }
  let given = 0
  let writing: Promise<PutResult>[] = []
  const flush = async (): Promise<void> => {
    // Waits for all of them before one failure rejects the call.
    await Promise.allSettled(writing)
    const results = await Promise.all(writing)
    writing = []
    for (const result of results) done[countOf(result)] += 1
  }
  try {
    for await (const entry of entries) {
      signal?.throwIfAborted()
      assertPair(entry, `${where}.entries`)
      writing.push(write(entry as readonly [Key, Value], entryOptions))
      given += 1
      const isChunk = given % chunk === 0
      if (isChunk || writing.length >= MOST_AT_ONCE) await flush()
      if (isChunk) onProgress?.({ ...done })
    }
    await flush()
  } finally {
    await Promise.allSettled(writing)
  }
  if (given % chunk !== 0) onProgress?.({ ...done })
  return done.written
}

function countOf({ outcome, cause }: PutResult): keyof WarmProgress {
  const isWritten = outcome === 'stored' || outcome === 'local'
  if (isWritten) return 'written'
  return cause === undefined ? 'skipped' : 'failed'
}

function resolveWarmOptions<Value>(
  options: WarmOptions<Value>,
  where: string,
): Pick<WarmOptions<Value>, 'onProgress' | 'signal'> & {
  readonly chunk: number
  readonly entryOptions: EntryOptions<Value>
} {
  assertKnownOptions(options, NAMES, where)
  const { onProgress, signal, chunk = WARM_DEFAULTS.chunk, ...entryOptions } = options
  assertInteger(chunk, `${where}.chunk`, { min: 1, max: LARGEST_CHUNK })
  if (onProgress !== undefined) assertFunction(onProgress, `${where}.onProgress`)
  assertSignal(signal, `${where}.signal`)
  return { onProgress, signal, chunk, entryOptions }
}
