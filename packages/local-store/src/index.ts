/** The in-process tier of Larder. */

export { type LruStoreOptions, lruStore } from './lru-store.ts'
