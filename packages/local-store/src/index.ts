/** The in-process tier of Larder. */

export { type AdaptiveStoreOptions, adaptiveStore } from './adaptive-store.ts'
export { type LocalBoardsOptions, localBoards } from './boards/local-boards.ts'
export { type LocalEventStoreOptions, localEventStore } from './event-store/local-event-store.ts'
export { type LocalFleetOptions, localFleet } from './fleet/local-fleet.ts'
export { type LocalLimitsOptions, localLimits } from './limits/local-limits.ts'
export { type LocalLocksOptions, localLocks } from './locks/local-locks.ts'
export { type LruStoreOptions, lruStore } from './lru-store.ts'
export { type LocalSessionsOptions, localSessions } from './sessions/local-sessions.ts'
export { type LocalStreamsOptions, localStreams } from './streams/local-streams.ts'
export { type LocalStructuresOptions, localStructures } from './structures/local-structures.ts'
export { localTopics } from './topics/local-topics.ts'
export { type LocalWritesOptions, localWrites } from './writes/local-writes.ts'
