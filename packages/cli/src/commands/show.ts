import { inspect } from 'node:util'
import { decodeEntry, FLAG, isMark, type StoredEntry, tagText } from '@larder/core/store'
import { msgpackCodec } from '@larder/redis-store'
import { type EntryFacts, isWithoutValue } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { visible } from '../output/escape.ts'
import { pairLines } from '../output/pairs.ts'
import { countOf, sizeOf, spanText } from '../output/units.ts'
import { fullKeyFrom } from './full-key.ts'

/** A value of an entry, or why it is not shown. */
type Shown = { readonly value: unknown } | { readonly hidden: string }

export async function runShow(session: Session): Promise<number> {
  const { inspection, namespace, words, out, options } = session
  const key = fullKeyFrom(words[0] ?? '', namespace)
  const facts = await inspection.entry(namespace, key)
  const { stored } = facts
  if (stored.kind === 'absent') throw new CommandFailure('notFound', `${key} is not stored.`)
  if (stored.kind === 'foreign') {
    throw new CommandFailure('failed', `What is stored under the key of ${key} is not an entry.`)
  }
  const shown = options.has('values')
    ? await decoded(session, key)
    : { hidden: 'give --values to see it' }
  const data = dataOf(facts, stored)
  const value = 'value' in shown ? { value: shown.value ?? null } : {}
  await out.one({ ...data, ...value }, () => [...headLines(data), ...valueLines(shown)])
  return EXIT.done
}

function headLines(data: ReturnType<typeof dataOf>): readonly string[] {
  const { freshForMs, staleForMs } = data
  return pairLines([
    ['key', data.key],
    ['cache', data.cache],
    ['kind', data.kind],
    ['created', `${data.createdAt}, ${spanText(data.ageMs)} ago`],
    ['fresh for', spanText(freshForMs)],
    ['stale for', staleForMs > freshForMs ? spanText(staleForMs - freshForMs) : undefined],
    ['kept for', spanText(data.livesForMs)],
    ['left', spanText(data.leftMs)],
    ['load took', spanText(data.loadMs)],
    ['tags', data.tags.join(', ') || 'none'],
    ['size', sizeOf(data.bytes)],
    ['codec steps', data.steps.length === 0 ? 'none' : data.steps.join(', ')],
    ['partition', countOf(data.partition)],
    ['lease', data.lease === null ? 'none' : `${spanText(data.lease.leftMs)} left`],
  ])
}

/** A value may take several lines, each of which is made visible by itself. */
function valueLines(shown: Shown): readonly string[] {
  if (!('value' in shown)) return ['', `The value is not shown: ${visible(shown.hidden)}.`]
  return ['', ...inspect(shown.value, { depth: 8, breakLength: 100 }).split('\n').map(visible)]
}

function dataOf(
  { key, cache, partition, nowMs }: EntryFacts,
  { head, bytes, leftMs }: Extract<EntryFacts['stored'], { readonly kind: 'entry' }>,
) {
  const leaseMs = head.leaseDeadline - nowMs
  return {
    key,
    cache,
    partition,
    kind: kindOf(head),
    createdAt: new Date(head.createdAt).toISOString(),
    ageMs: Math.max(0, nowMs - head.createdAt),
    freshForMs: head.freshForMs,
    staleForMs: head.staleForMs,
    livesForMs: head.livesForMs,
    leftMs,
    loadMs: head.loadMs,
    tags: head.tags.map(tagText),
    bytes: bytes ?? null,
    schema: head.schema,
    steps: [...head.steps],
    isPut: (head.flags & FLAG.put) !== 0,
    lease: head.leaseToken !== 0 && leaseMs > 0 ? { leftMs: leaseMs } : null,
  }
}

function kindOf({ flags }: StoredEntry): string {
  if ((flags & FLAG.empty) !== 0) return 'no value: a lease or a settle window'
  if (isMark(flags)) return 'a mark: loads of the key are not shared'
  const kind =
    (flags & FLAG.error) !== 0 ? 'error' : (flags & FLAG.negative) !== 0 ? 'nothing' : 'value'
  return (flags & FLAG.stale) !== 0 ? `${kind}, evicted softly` : kind
}

async function decoded({ inspection, namespace, value }: Session, key: string): Promise<Shown> {
  const bytes = await inspection.entryBytes(namespace, key)
  const entry = bytes === undefined ? undefined : decodeEntry(bytes)
  if (bytes === undefined || entry === undefined || isWithoutValue(entry)) {
    return { hidden: 'there is none' }
  }
  if (value === undefined && entry.steps.length > 0) {
    const steps = [...entry.steps].join(', ')
    return { hidden: `it went through the codec steps ${steps}, which the application undoes` }
  }
  try {
    if (value !== undefined) return { value: await value(key, bytes) }
    return { value: msgpackCodec().decode(entry.payload) }
  } catch (error) {
    // A class that only the application knows, a codec of its own, or a key that is missing.
    return { hidden: `it cannot be decoded here: ${(error as Error).message}` }
  }
}
