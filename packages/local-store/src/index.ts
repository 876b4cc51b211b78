/** The in-process tier of Larder. */

export { type LocalLocksOptions, localLocks } from './locks/local-locks.ts'
export { type LruStoreOptions, lruStore } from './lru-store.ts'
