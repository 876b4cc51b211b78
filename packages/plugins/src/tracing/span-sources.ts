/** What the messages of each tracing channel are as spans: their names and attributes. */

import type { EvictTrace, LimitTrace, LoadTrace, LockTrace, ReadTrace, Trace } from '@larder/core'
import type { Attributes } from '@opentelemetry/api'
import type { KeyWords } from './key-words.ts'

export type TracedSpan = 'load' | 'read' | 'evict' | 'lock' | 'limit'

/** How messages of one channel become spans. */
export interface SpanSource<Message extends Trace = Trace> {
  readonly channel: `larder:${TracedSpan}`
  nameOf(message: Message): string
  /** What is known when it begins. */
  begun(message: Message): Attributes
  /** What may be personal data. */
  keys(message: Message, words: KeyWords): Attributes
  /** What is known when it has ended. */
  ended(message: Message): Attributes
  hasFailed(message: Message): boolean
}

const load: SpanSource<LoadTrace> = {
  channel: 'larder:load',
  nameOf: ({ cache }) => `larder.load ${cache}`,
  begun: ({ cache, where, reason, keys }) => ({
    ...placeOf(cache, where),
    'larder.load.reason': reason,
    'larder.load.key_count': keys.length,
  }),
  keys: ({ keys, namespace }, words) => {
    const [first, ...others] = keys
    if (first === undefined) return {}
    return others.length === 0
      ? { 'larder.cache.key': words.one(first, namespace) }
      : { 'larder.cache.keys': words.many(keys, namespace) }
  },
  ended: ({ outcome }) => ({ 'larder.cache.result': outcome }),
  hasFailed: isError,
}

const read: SpanSource<ReadTrace> = {
  channel: 'larder:read',
  nameOf: ({ cache }) => `larder.read ${cache}`,
  begun: ({ cache, where, joined }) => ({
    ...placeOf(cache, where),
    'larder.cache.joined': joined,
  }),
  keys: ({ key, namespace }, words) => ({ 'larder.cache.key': words.one(key, namespace) }),
  ended: ({ outcome, missed }) => ({
    'larder.cache.result': outcome,
    'larder.cache.missed': missed,
  }),
  hasFailed: isError,
}

const evict: SpanSource<EvictTrace> = {
  channel: 'larder:evict',
  nameOf: () => 'larder.evict',
  begun: ({ cache, keys, tags, all }) => ({
    'larder.cache.name': cache,
    'larder.evict.key_count': keys.length,
    'larder.evict.tag_count': tags.length,
    'larder.evict.all': all,
  }),
  keys: ({ keys, tags, namespace }, words) => ({
    'larder.cache.keys': words.many(keys, namespace),
    'larder.cache.tags': words.many(tags, namespace),
  }),
  ended: ({ outcome }) => ({ 'larder.evict.result': outcome }),
  // What waits for the store has not failed; why it waits is in `error.type`.
  hasFailed: ({ error, outcome }) => error !== undefined && outcome !== 'queued',
}

const lock: SpanSource<LockTrace> = {
  channel: 'larder:lock',
  nameOf: ({ part }) => `larder.lock.${part}`,
  begun: () => ({}),
  keys: ({ key, namespace }, words) => ({ 'larder.lock.key': words.one(key, namespace) }),
  ended: ({ outcome, source }) => ({ 'larder.lock.result': outcome, 'larder.lock.source': source }),
  hasFailed: ({ error, outcome }) =>
    error !== undefined || outcome === 'lost' || outcome === 'release-failed',
}

const limit: SpanSource<LimitTrace> = {
  channel: 'larder:limit',
  nameOf: ({ limiter }) => `larder.limit ${limiter}`,
  begun: ({ limiter, cost }) => ({ 'larder.limit.name': limiter, 'larder.limit.cost': cost }),
  keys: ({ key, namespace }, words) => ({ 'larder.limit.key': words.one(key, namespace) }),
  ended: ({ allowed, policy, source, waitMs }) => ({
    'larder.limit.allowed': allowed,
    'larder.limit.policy': policy,
    'larder.limit.source': source,
    'larder.limit.wait_ms': waitMs,
  }),
  // A call that is refused is what a limiter is for.
  hasFailed: isError,
}

export const SPAN_SOURCES: Readonly<Record<TracedSpan, SpanSource>> = {
  load,
  read,
  evict,
  lock,
  limit,
}

const DECORATED = /^@\w+\((.+)\)$/

/** The cache, and the decorated method by the name that OpenTelemetry has for functions. */
function placeOf(cache: string, where: string): Attributes {
  return { 'larder.cache.name': cache, 'code.function.name': DECORATED.exec(where)?.[1] }
}

function isError({ error }: Trace): boolean {
  return error !== undefined
}
