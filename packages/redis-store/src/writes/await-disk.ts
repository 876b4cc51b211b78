/** WAITAOF: whether the server's own disk has what this connection wrote. */

import { StoreSetupError } from '@larder/core'
import { listOf, numberOf } from '../commands/replies.ts'
import { masterFinder } from '../connection/cluster-nodes.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { hashTagOf } from '../key-layout.ts'

/**
 * Returns whether it had it in time.
 *
 * @throws StoreSetupError for a server without WAITAOF (before Redis 7.2, and Valkey 7.2), or without an append-only file
 */
export async function awaitDisk(
  client: RedisClient,
  key: string,
  timeoutMs: number,
): Promise<boolean> {
  const server = isCluster(client) ? masterFinder(client)(hashTagOf(key)) : client
  if (server === undefined) return false
  try {
    const reply = await server.call('WAITAOF', '1', '0', `${Math.max(1, Math.ceil(timeoutMs))}`)
    return numberOf(listOf(reply)[0]) >= 1
  } catch (error) {
    throw inWords(error)
  }
}

function inWords(error: unknown): unknown {
  const words = error instanceof Error ? error.message : ''
  if (/unknown command/i.test(words)) {
    const what =
      'A write was queued, but durable needs WAITAOF, which Redis has since 7.2 and this server has not. Leave durable out, or use a newer server.'
    return new StoreSetupError(what, error)
  }
  if (/appendonly is disabled/i.test(words)) {
    const what =
      'A write was queued, but durable needs an append-only file, and this server has none. Set appendonly yes, or leave durable out.'
    return new StoreSetupError(what, error)
  }
  return error
}
