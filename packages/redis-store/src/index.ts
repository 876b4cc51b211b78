/** The shared tier of Larder on Redis: store, bus and value codec. */

export { msgpackCodec } from './codec/msgpack-codec.ts'
export type { RedisStoreOptions } from './options.ts'
export { redisStore } from './redis-store.ts'
