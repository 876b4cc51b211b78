/** What may be kept besides entries: one provider per system. A store brings providers along, and the options of a manager name others. */

import type { BoardProvider } from './board-provider.ts'
import type { EventStoreProvider } from './event-store-provider.ts'
import type { FleetProvider } from './fleet-provider.ts'
import type { LockProvider } from './lock-provider.ts'
import type { RateLimitProvider } from './rate-limit-provider.ts'
import type { SessionProvider } from './session-provider.ts'
import type { StreamProvider } from './stream-provider.ts'
import type { StructureProvider } from './structure-provider.ts'
import type { TopicProvider } from './topic-provider.ts'
import type { WriteProvider } from './write-provider.ts'

/** Those that a manager may be given apart from its stores. */
export interface Providers {
  readonly locks: LockProvider
  readonly limits: RateLimitProvider
  readonly sessions: SessionProvider
  readonly boards: BoardProvider
  readonly streams: StreamProvider
  readonly eventStore: EventStoreProvider
  readonly topics: TopicProvider
  readonly structures: StructureProvider
  readonly writes: WriteProvider
}

export type ProviderKind = keyof Providers

/** What a store brings along: a shared one on its own servers, a local one within this process. */
export interface StoreProviders {
  /** Locks. */
  readonly locks?: LockProvider | undefined
  /** Limits, and what was counted of them. */
  readonly limits?: RateLimitProvider | undefined
  /** Sessions. */
  readonly sessions?: SessionProvider | undefined
  /** Leaderboards, counters and unique visitors. */
  readonly boards?: BoardProvider | undefined
  /** Streams of messages. */
  readonly streams?: StreamProvider | undefined
  /** Event stores. */
  readonly eventStore?: EventStoreProvider | undefined
  /** Topics. */
  readonly topics?: TopicProvider | undefined
  /** Maps, sets and lists. */
  readonly structures?: StructureProvider | undefined
  /** Queues of write-behind. */
  readonly writes?: WriteProvider | undefined
  /** Heartbeats of nodes, for fleet statistics. */
  readonly fleet?: FleetProvider | undefined
}
