/**
 * Tracing channels: what takes time, from its beginning to its end, for `node:diagnostics_channel`.
 *
 * Events tell what happened, afterwards and to whom it may concern. A span needs more: the code that asked, at the moment it
 * asked, and exactly one end. So each message is published in the async context of its caller, before anything of it can be
 * gathered with the work of others, and ends once, whatever happens.
 *
 * Nothing is made and nothing is paid while nobody has subscribed: `hasSubscribers` is asked first.
 */

import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { CacheEvents, MissReason } from './events.ts'

/**
 * Stands for one read of one key under way in this process, with all who wait for it: the same object in the messages of all that
 * belongs to it, to compare by or as the key of a `WeakMap`. It has no members.
 */
export type TracedFlight = object

/** What every message has. Do not change it; what is not `readonly` is set before the end. */
export interface Trace {
  readonly namespace: string
  /** The cache manager: two of one process may have the same namespace, and share the channels. To compare by. */
  readonly manager: object
  /** What it failed with, if it did. */
  error?: unknown
  /**
   * A subscriber of `start` may set it: the loader, the eviction or the limiter is called by it. It is for what has to surround code
   * and is no `AsyncLocalStorage`. It has to call the work once, at once, and return what that returns; and to call the one that was
   * set before it, if any.
   */
  surround?: <Result>(work: () => Result) => Result
}

/**
 * Of `larder:load`: a loader runs, for a read that found nothing or for a refresh. Ends when it does, or when its time is over
 * (`loadTimeout`, `close()`), although it may not stop then.
 */
export interface LoadTrace extends Trace {
  readonly cache: string
  /** Full keys: several where one call of the loader loads many. */
  readonly keys: readonly string[]
  /** The method or call that loads, such as `@Cacheable(Users.find)`. */
  readonly where: string
  /** `refresh`: no caller waits for it because of a miss. It may run in the context of the caller that was served meanwhile. */
  readonly reason: 'miss' | 'refresh'
  /** True when the caller in whose context it runs was served before it. False of a refresh that the caller asked for. */
  readonly behind: boolean
  /** One for each key. */
  readonly flights: readonly TracedFlight[]
  outcome?: 'value' | 'negative' | 'error'
}

/**
 * Of `larder:read`: a read that this process could not answer alone. It asks the shared tier (also while it waits there for
 * another node's load), or it waits for what another caller of this process asks or loads (`joined`). Local hits are none. It ends
 * with the answer, or where a load begins.
 */
export interface ReadTrace extends Trace {
  readonly cache: string
  /** The full key. */
  readonly key: string
  readonly where: string
  readonly joined: boolean
  /** True when the caller in whose context it runs was served before it: it is part of a refresh. */
  readonly behind: boolean
  readonly flight: TracedFlight
  /**
   * `remote`: served by the store; `confirmed`: by this process, after the store had said that it may; `stale`; `miss`: then
   * `missed` says why; `refresh`: it is loaded anew whatever is there; `joined`: by the other caller's read.
   */
  outcome?: 'remote' | 'confirmed' | 'stale' | 'miss' | 'refresh' | 'joined'
  missed?: MissReason
}

/** Of `larder:evict`: an eviction by request, until the store has done it or it waits for the store. */
export interface EvictTrace extends Trace, Omit<CacheEvents['evict'], 'outcome'> {
  outcome?: 'done' | 'queued'
}

/** Of `larder:lock`: a caller waits for a lock (`wait`), and then has it (`hold`). */
export interface LockTrace extends Trace {
  /** The name of the lock. */
  readonly key: string
  readonly part: 'wait' | 'hold'
  /** Of a wait `granted`, `timeout` or `unavailable`; of a hold `released`, `lost` or `release-failed`. */
  outcome?: CacheEvents['lock']['outcome']
  /** Who decided: the name of the lock provider. */
  source?: string
}

/** Of `larder:limit`: a limiter decides, and where its turn is to come, waits for that. */
export interface LimitTrace extends Trace {
  readonly limiter: string
  readonly key: string
  readonly cost: number
  allowed?: boolean
  policy?: string
  source?: CacheEvents['limit']['source']
  waitMs?: number
}

/** The channels by name: `tracing:larder:load:start`, `…:end`, `…:asyncStart`, `…:asyncEnd`, `…:error`, and so on. */
export const CHANNELS = {
  load: channelOf<LoadTrace>('larder:load'),
  read: channelOf<ReadTrace>('larder:read'),
  evict: channelOf<EvictTrace>('larder:evict'),
  lock: channelOf<LockTrace>('larder:lock'),
  limit: channelOf<LimitTrace>('larder:limit'),
} as const

export type Channel<Message extends Trace> = TracingChannel<unknown, Message>

function channelOf<Message extends Trace>(name: string): Channel<Message> {
  return tracingChannel<unknown, Message>(name)
}
