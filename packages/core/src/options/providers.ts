/** The kinds of providers: what each is called where one is missing, and what it must have. */

import type { ProviderKind, StoreProviders } from '../contracts/providers.ts'
import { assertShape } from './assert-shape.ts'
import { SHAPES } from './contract-shapes.ts'

interface Kind {
  /** What it is called in messages. */
  readonly is: string
  /** How to get one. */
  readonly such: string
  readonly shape: Readonly<Record<string, string>>
  readonly capabilities: Readonly<Record<string, string>>
}

/** Those that a manager may be given. One line per system. */
export const PROVIDERS: Readonly<Record<ProviderKind, Kind>> = {
  locks: {
    is: 'a lock provider',
    such: 'redisLocks() or localLocks()',
    shape: SHAPES.locks,
    capabilities: SHAPES.lockCapabilities,
  },
  limits: {
    is: 'a rate-limit provider',
    such: 'redisLimits() or localLimits()',
    shape: SHAPES.limits,
    capabilities: SHAPES.limitCapabilities,
  },
  sessions: {
    is: 'a session provider',
    such: 'redisSessions() or localSessions()',
    shape: SHAPES.sessions,
    capabilities: SHAPES.sessionCapabilities,
  },
  boards: {
    is: 'a board provider',
    such: 'redisBoards() or localBoards()',
    shape: SHAPES.boards,
    capabilities: SHAPES.boardCapabilities,
  },
  streams: {
    is: 'a stream provider',
    such: 'redisStreams() or localStreams()',
    shape: SHAPES.streams,
    capabilities: SHAPES.streamCapabilities,
  },
  eventStore: {
    is: 'an event-store provider',
    such: 'redisEventStore() or localEventStore()',
    shape: SHAPES.eventStore,
    capabilities: SHAPES.eventStoreCapabilities,
  },
  topics: {
    is: 'a topic provider',
    such: 'redisTopics() or localTopics()',
    shape: SHAPES.topics,
    capabilities: SHAPES.topicCapabilities,
  },
  structures: {
    is: 'a structure provider',
    such: 'redisStructures() or localStructures()',
    shape: SHAPES.structures,
    capabilities: SHAPES.structureCapabilities,
  },
  writes: {
    is: 'a write-queue provider',
    such: 'redisWrites() or localWrites()',
    shape: SHAPES.writes,
    capabilities: SHAPES.writeCapabilities,
  },
}

/** Those that only stores bring. */
const OF_STORES = {
  ...PROVIDERS,
  fleet: {
    is: 'a fleet provider',
    such: 'localFleet()',
    shape: SHAPES.fleet,
    capabilities: SHAPES.fleetCapabilities,
  },
} satisfies Readonly<Record<keyof StoreProviders, Kind>>

/** In the order in which they are checked. */
export const PROVIDER_KINDS = Object.keys(PROVIDERS) as readonly ProviderKind[]

/** Checks the providers that a store brings. @throws InvalidOptionError naming the first member that is missing or has another type */
export function assertStoreProviders(store: StoreProviders, option: string): void {
  for (const kind of Object.keys(OF_STORES) as (keyof typeof OF_STORES)[])
    assertProvider(kind, store[kind], `${option}.${kind}`)
}

/** The same of one, unless it is absent. */
export function assertProvider(
  kind: keyof StoreProviders,
  provider: unknown,
  option: string,
): void {
  if (provider === undefined) return
  const { is, such, shape, capabilities } = OF_STORES[kind]
  assertShape(provider, shape, { option, expected: `${is} such as ${such}` })
  assertShape((provider as { capabilities: unknown }).capabilities, capabilities, {
    option: `${option}.capabilities`,
    expected: 'what the provider can promise',
  })
}
