/** Every event in words, for documentation that cannot fall behind: a field that is not described does not compile. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { CacheEventName, CacheEvents, EventName } from './events.ts'

/** What one event says. */
export interface EventDescription<Event> {
  /** When it is emitted. */
  readonly when: string
  readonly fields: Readonly<Record<keyof Event & string, string>>
}

type EventTable = { readonly [Name in CacheEventName]: EventDescription<CacheEvents[Name]> }

const CACHE = 'the name of the cache'
const KEY = 'the full key'
const VALUE = 'the value as callers get it, made when it is asked for; not enumerable'
const ERROR = 'what was thrown'
const KEYED = { cache: CACHE, key: KEY }

/** Every event of a manager by name: when it is emitted, and what its fields say. */
export const CACHE_EVENTS: EventTable = {
  hit: {
    when: 'A value was served from a tier.',
    fields: {
      ...KEYED,
      value: VALUE,
      tier: "'local' or 'remote'",
      negative: 'true for "the source has nothing"',
    },
  },
  miss: {
    when: 'No tier had a value that could be served.',
    fields: {
      ...KEYED,
      reason:
        "'absent', 'expired', 'evicted' (softly, or not yet in the store), 'tag' (by a tag, or with its cache), 'version', 'undecodable', or 'store-away'",
    },
  },
  load: {
    when: 'A loader ended.',
    fields: {
      ...KEYED,
      value: VALUE,
      durationMs: 'how long it ran',
      outcome: "'value', 'negative' or 'error'",
      reason: "'miss' or 'refresh'",
    },
  },
  stale: {
    when: 'A value past its freshness was served.',
    fields: {
      ...KEYED,
      value: VALUE,
      reason:
        "'revalidating' while a refresh runs, 'error' after a load failed, 'timeout' because one takes long, 'asked' by a caller who takes what is kept for when loads fail",
    },
  },
  put: {
    when: 'A value was to be written by request: `set`, `@CachePut`, `warm`.',
    fields: {
      ...KEYED,
      value: VALUE,
      outcome:
        "'stored'; 'local' where it is too large for the shared tier; 'not-kept'; 'queued' where the store could not be reached, and the key is evicted",
    },
  },
  evict: {
    when: 'Keys, tags or a whole cache were evicted by request on this node.',
    fields: {
      cache: 'the name of the cache; absent for tags and the whole namespace',
      keys: 'full keys',
      tags: 'tags',
      all: 'true for a whole cache or namespace',
      outcome: "'done', or 'queued' where it waits for the store",
    },
  },
  invalidate: {
    when: "Another node's change, or our own delivered back, was applied here.",
    fields: { keys: 'full keys', tags: 'tags' },
  },
  discard: {
    when: 'A finished load was not kept: its key was changed meanwhile, or its arguments no longer make that key.',
    fields: KEYED,
  },
  'store-error': {
    when: 'A call to a store failed, timed out, or was not tried because the breaker is open.',
    fields: { operation: 'the call', error: ERROR, skipped: 'true where it was not tried' },
  },
  outage: {
    when: 'An outage of the remote store began or ended, or it has refused writes for another minute.',
    fields: {
      state: "'began', 'lasts' or 'ended'",
      kind: "'setup', 'unreachable', 'refusing', 'deaf' or 'limits'",
      message: 'what the store, or the way to it, said first',
      durationMs: 'since when it lasts',
      failedCalls: 'calls that failed',
      skippedCalls: 'calls that were not tried',
      wasNeverUp: 'true where the store was not there since the manager was made',
    },
  },
  trouble: {
    when: 'A store or provider cannot be used as it is set up: a right is missing. Once each.',
    fields: { error: 'what is missing' },
  },
  breaker: {
    when: 'The circuit breaker of the remote store changed.',
    fields: { state: "'closed', 'open' or 'half-open'" },
  },
  undecodable: {
    when: 'Bytes of an entry could not be read: foreign, damaged, or of a class that is not registered. Of one cache and reason at most ten events in ten seconds.',
    fields: {
      ...KEYED,
      reason: "'format', 'unknown-step', 'missing-step', 'step' or 'value'",
      error: 'what is wrong with them',
      count: 'how many there were since the last event',
    },
  },
  'callback-error': {
    when: 'A callback about keeping a result threw, or answered with what it may not; the result was not kept.',
    fields: {
      ...KEYED,
      option:
        "'tags', 'ttl', 'staleWhileRevalidate', 'staleIfError', 'unless', 'unshared' or 'cacheErrors'",
      error: 'what was thrown, or what was expected of the answer',
    },
  },
  'too-large': {
    when: 'A value is larger than `maxValueBytes` and was kept out of the shared tier.',
    fields: { ...KEYED, bytes: 'its size', maxBytes: 'the largest allowed' },
  },
  'too-stale': {
    when: 'A local hit that was compared with the store (`measureStaleness`) had been outdated for longer than `maxStaleness` when it was served. Of one cache at most ten events in ten seconds.',
    fields: {
      ...KEYED,
      reason: "'evicted', 'replaced' by another value, or 'tag' (by a tag, or with its cache)",
      stalenessMs: 'for how long it had been outdated',
      maxStalenessMs: 'the bound of its cache',
      count: 'how many such hits there were since the last event',
    },
  },
  'bus-gap': {
    when: 'Messages went missing or arrived out of order, or the store lost history.',
    fields: {
      partition: "the partition, or 'tags'",
      recovered: 'true where the log closed the gap',
      reason: "'gap' in what was heard, 'behind' what the store says, 'history-lost' by the store",
    },
  },
  bus: {
    when: 'The subscription to the bus came up or went down.',
    fields: { state: "'up' or 'down'", error: 'why it went down' },
  },
  coherence: {
    when: 'This node cannot verify its entries, or can again.',
    fields: { state: "'verified' or 'isolated'" },
  },
  'recovery-queue': {
    when: 'Evictions that could not reach the store wait, or have left.',
    fields: {
      waiting: 'how many wait',
      escalated: "'none'; 'partition' or 'clear' where there were too many to keep each",
    },
  },
  drop: { when: 'An entry was dropped from the local tier for room.', fields: KEYED },
  lock: {
    when: 'A lock was granted or not, or its time ended.',
    fields: {
      key: 'the name of the lock',
      outcome: "'granted', 'timeout', 'unavailable', 'released', 'lost' or 'release-failed'",
      durationMs: 'how long was waited for it, or how long it was held',
      source: 'the lock provider that decided',
    },
  },
  limit: {
    when: 'A limiter decided, or let a call pass undecided.',
    fields: {
      limiter: 'the name of the limiter',
      key: 'the key of the call',
      allowed: 'whether the call may go on',
      withinLimit: 'the same without `dryRun`',
      policy: 'the policy that refused, or the one with the smallest part left',
      source: "'remote', 'known', 'local', 'open' or 'off'",
      waitMs: 'how long the call has to wait for its turn',
    },
  },
  'limit-breaker': {
    when: 'The circuit breaker of the limit store changed.',
    fields: { state: "'closed', 'open' or 'half-open'", provider: 'the limit provider' },
  },
  'session-refused': {
    when: 'A session was to be saved that has ended, as by a request that was slower than the logout; nothing was saved.',
    fields: {
      sessions: 'the name of the sessions',
      operation: "'save', 'touch' or 'move'",
    },
  },
  stream: {
    when: 'A delivery of a message of a stream has ended.',
    fields: {
      stream: 'the name of the stream',
      group: 'the group of consumers',
      id: 'the id of the message; absent when it cannot be read',
      outcome:
        "'handled', 'duplicate', 'retry', 'dead-letter', 'dropped', 'handed-back', 'lost' to another consumer, or 'gone' from the stream",
      deliveries: 'how often it was delivered to this group',
      durationMs: 'how long the handler ran',
      error: ERROR,
    },
  },
  'stream-group': {
    when: 'A group of a stream was made, or made anew because it was no longer there.',
    fields: {
      stream: 'the name of the stream',
      group: 'the group of consumers',
      state: "'made' or 'lost'",
    },
  },
  topic: {
    when: 'Messages of a topic did not reach a handler, or a handler failed.',
    fields: {
      topic: 'the name of the topic, or the pattern',
      reason:
        "'missed' on the way, 'dropped' because the handler is too slow, 'invalid' by the schema or not readable, or 'failed' in the handler",
      count: "how many, or 'unknown' after the connection was lost",
      error: ERROR,
    },
  },
  projection: {
    when: 'A projection has taken or lost the turn of a partition, has noticed that the store lost events, or cannot go on for the moment.',
    fields: {
      store: 'the name of the event store',
      projection: 'the name of the projection',
      partition: 'the number of the partition',
      state:
        "'taken', 'lost' to another projector, 'rewound' because the store has lost events that were handled, or 'failed'",
      error: ERROR,
    },
  },
  'background-error': {
    when: 'A background task failed; no caller was affected.',
    fields: { task: 'the task', error: ERROR },
  },
}

/** Names that events had before; who listens to one is given the event as it is now. */
const FORMER_NAMES: Readonly<Record<string, CacheEventName>> = {
  invalidated: 'invalidate',
  'fill-refused': 'discard',
}

/**
 * `ofPlugins`: names of events that plugins have beside these.
 *
 * @throws InvalidOptionError unless there is an event of this name: a listener that is never called says nothing
 */
export function eventNamed(
  name: unknown,
  option: string,
  ofPlugins: readonly string[] = [],
): EventName {
  if (typeof name === 'string') {
    if (Object.hasOwn(CACHE_EVENTS, name) || ofPlugins.includes(name)) return name as EventName
    if (Object.hasOwn(FORMER_NAMES, name)) return FORMER_NAMES[name] as CacheEventName
  }
  const known = [...Object.keys(CACHE_EVENTS), ...ofPlugins]
  const expected = `the name of an event: ${known.join(', ')}`
  throw new InvalidOptionError({ option, expected, received: name })
}
