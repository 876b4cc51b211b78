/** A plugin adds codec steps, or listens to events; listening never changes what is cached. */

import type { CacheEvents } from '../events/events.ts'
import type { CodecStep } from './codec.ts'

/** The part of its manager that a started plugin can use. */
export interface PluginHost {
  readonly namespace: string
  /** Listens to an event; returns a function that stops it. Listeners cannot change the outcome, and their errors are dropped. */
  on<Name extends keyof CacheEvents>(
    event: Name,
    listener: (event: CacheEvents[Name]) => void,
  ): () => void
}

/** Extends one cache manager. Started in the order given, stopped in reverse. */
export interface Plugin {
  readonly name: string
  /** Steps over payload bytes, applied in order on writing. Their ids must be unique in a manager. */
  readonly codecSteps?: readonly CodecStep[] | undefined
  start?(host: PluginHost): void
  /** Releases what `start` took; awaited by `close()`. */
  stop?(): void | Promise<void>
}
