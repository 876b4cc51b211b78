/** For tests: time in hand, an in-memory fleet, and what an implementation of a contract must do. */

export { type ConformanceCase, runCases, type TestFunction } from './cases.ts'
export { localStoreCases, type MakeLocalStore } from './local-store-cases.ts'
export { ManualClock } from './manual-clock.ts'
export { MemoryServer, type MemorySnapshot } from './memory-server.ts'
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from './memory-store.ts'
export { NAMESPACE, remoteStoreCases, type StorePair } from './remote-store-cases.ts'
