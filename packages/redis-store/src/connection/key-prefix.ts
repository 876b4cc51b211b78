/**
 * The `keyPrefix` of ioredis has no place here: the hash tag comes first in a key, and scripts and SCAN know nothing of a
 * prefix. A user who sets one wants to keep applications apart, so it must not be ignored silently.
 */

import { InvalidOptionError } from '@larder/core'
import { isCluster, type RedisClient } from './redis-client.ts'

/** Clients that were warned of. */
const warned = new WeakSet<object>()

/** Returns the prefix that options set, if any. */
export function prefixOf(options: object | undefined): unknown {
  return options !== undefined && 'keyPrefix' in options ? options.keyPrefix : undefined
}

/** @throws InvalidOptionError unless the prefix is none */
export function refusePrefix(prefix: unknown, option: string): void {
  if (isNone(prefix)) return
  throw new InvalidOptionError({
    option,
    expected:
      'no keyPrefix: what keeps applications apart is the namespace of createCacheManager, which is in front of each key',
    received: prefix,
    described: 'one',
  })
}

/** A client may be shared with what needs its prefix; so it is taken, and its owner told, once for each client. */
export function warnOfPrefix(client: RedisClient): void {
  const { options } = client
  const prefixes = [prefixOf(options), isCluster(client) && prefixOf(options?.redisOptions)]
  if (warned.has(client) || prefixes.every(isNone)) return
  warned.add(client)
  process.emitWarning(
    'The keyPrefix of the client given to redisStore does not apply to what Larder stores. What keeps applications apart is the namespace of createCacheManager, which is in front of each key.',
    { type: 'LarderWarning', code: 'LARDER_KEY_PREFIX' },
  )
}

function isNone(prefix: unknown): boolean {
  return prefix === undefined || prefix === null || prefix === '' || prefix === false
}
