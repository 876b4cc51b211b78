/** The shared tier of Larder on Redis: store, bus, locks, limits, sessions, boards, streams, structures, write queues and value codec. */

export { redisBoards } from './boards/redis-boards.ts'
export { msgpackCodec } from './codec/msgpack-codec.ts'
export { redisLimits } from './limits/redis-limits.ts'
export { type FencedValues, fencedValues } from './locks/fenced-values.ts'
export { redisLocks } from './locks/redis-locks.ts'
export type { RedisStoreOptions } from './options.ts'
export { redisStore } from './redis-store.ts'
export { redisSessions } from './sessions/redis-sessions.ts'
export { redisStreams } from './streams/redis-streams.ts'
export { redisStructures } from './structures/redis-structures.ts'
export { redisWrites } from './writes/redis-writes.ts'
