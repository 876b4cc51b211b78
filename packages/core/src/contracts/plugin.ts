/** A plugin adds codec steps, or watches events; it never changes what is cached by listening. */

import type { CacheEvents } from '../events/events.ts'
import type { CodecStep } from './codec.ts'

/** What a started plugin can see of its manager. */
export interface PluginHost {
  readonly namespace: string
  /** Listens to an event; returns what ends it. Listeners may not change the outcome, and what they throw is dropped. */
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
