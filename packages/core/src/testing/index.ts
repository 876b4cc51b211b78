/** For tests: a clock and faults that a test controls, a shared tier in memory, and what an implementation of a contract must do. */

export { type BoardsUnderTest, boardCases, type MakeBoards } from './conformance/board-cases.ts'
export { type BusesUnderTest, busCases, type MakeBuses } from './conformance/bus-cases.ts'
export {
  type CaseOutcome,
  type ConformanceCase,
  runCases,
  type SkippableContext,
  type TestFunction,
} from './conformance/conformance-case.ts'
export { engineCases } from './conformance/engine-cases.ts'
export {
  type EventStoresUnderTest,
  eventStoreCases,
  type MakeEventStores,
} from './conformance/event-store-cases.ts'
export { type FleetsUnderTest, fleetCases, type MakeFleets } from './conformance/fleet-cases.ts'
export {
  localStoreCases,
  type MakeLocalStore,
  type TestEntry,
} from './conformance/local-store-cases.ts'
export { type LocksUnderTest, lockCases, type MakeLocks } from './conformance/lock-cases.ts'
export type { Advance } from './conformance/patience.ts'
export {
  type LimitsUnderTest,
  type MakeLimits,
  rateLimitCases,
} from './conformance/rate-limit-cases.ts'
export {
  type MakeRemoteStores,
  type RemoteStoresUnderTest,
  remoteStoreCases,
} from './conformance/remote-store-cases.ts'
export {
  type MakeSessions,
  type SessionsUnderTest,
  sessionStoreCases,
} from './conformance/session-store-cases.ts'
export { type MakeStreams, type StreamsUnderTest, streamCases } from './conformance/stream-cases.ts'
export {
  type MakeStructures,
  type StructuresUnderTest,
  structureCases,
} from './conformance/structure-cases.ts'
export { type MakeTopics, type TopicsUnderTest, topicCases } from './conformance/topic-cases.ts'
export { type MakeWrites, type WritesUnderTest, writeCases } from './conformance/write-cases.ts'
export type { FaultScope } from './faults/fault-rules.ts'
export {
  type BusFaultScope,
  BusFaults,
  type FaultyBus,
  faultyBus,
  type ReleaseOrder,
} from './faults/faulty-bus.ts'
export {
  type FaultyLocalStore,
  faultyLocalStore,
  type LocalFaultScope,
  LocalFaults,
  type LocalOperation,
} from './faults/faulty-local-store.ts'
export { type FaultyRemoteStore, faultyRemoteStore } from './faults/faulty-remote-store.ts'
export {
  type Damage,
  garble,
  type RemoteFaultScope,
  RemoteFaults,
  type RemoteOperation,
  truncate,
} from './faults/remote-faults.ts'
export { ManualClock } from './manual-clock.ts'
export type { MemoryRemoteStore, MemoryStoreOptions } from './memory/memory-remote-store.ts'
export {
  MemoryServer,
  type MemoryServerOptions,
  type ServerKey,
  type ServerSnapshot,
} from './memory/memory-server.ts'
export type { Deliver, Delivery, DisconnectOptions } from './memory/node-link.ts'
export { structuredCodec } from './structured-codec.ts'
