/** `@larder/keyv-store`: any Keyv backend as the shared tier, and a cache as the storage of a Keyv. */

export { type FromKeyvOptions, fromKeyv } from './from-keyv.ts'
export type { KeyvLike } from './keyv-like.ts'
export { type KeyvStorage, keyvStorage } from './keyv-storage.ts'
