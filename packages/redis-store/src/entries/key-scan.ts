/** Lists keys by SCAN, master by master; never KEYS, which blocks the server. */

import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'
import { entryPattern, fullKeyOf } from '../key-layout.ts'

/** How many keys a server looks at in one step. */
const LOOKED_AT_PER_STEP = 500

/** Full keys that begin with `prefix`, in chunks, each at least once. */
export async function* scanKeys(
  client: RedisClient,
  namespace: string,
  prefix: string,
): AsyncGenerator<readonly string[], void, undefined> {
  for await (const keys of scanPattern(client, entryPattern(namespace, prefix))) {
    const found = keys
      .map((key) => fullKeyOf(namespace, key))
      // The pattern cannot say where the hash tag ends, so it matches more than was asked for.
      .filter((key): key is string => key?.startsWith(prefix) === true)
    if (found.length > 0) yield found
  }
}

/** Keys that match a pattern, in chunks, each at least once. */
export async function* scanPattern(
  client: RedisClient,
  pattern: string,
): AsyncGenerator<readonly string[], void, undefined> {
  for (const server of isCluster(client) ? client.nodes('master') : [client]) {
    let cursor = '0'
    do {
      const [next, keys] = await step(server, cursor, pattern)
      cursor = next
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }
}

async function step(
  server: RedisClient,
  cursor: string,
  pattern: string,
): Promise<readonly [cursor: string, keys: readonly string[]]> {
  try {
    return await server.scan(cursor, 'MATCH', pattern, 'COUNT', LOOKED_AT_PER_STEP)
  } catch (error) {
    throw refused('scan', error)
  }
}
