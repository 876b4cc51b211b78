/** WAIT: how many replicas have what this connection wrote. */

import type { LockReplicas } from '@larder/core'
import { numberOf } from '../commands/replies.ts'
import { masterFinder } from '../connection/cluster-nodes.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { hashTagOf } from '../key-layout.ts'

/** Too few replicas have the lock, so a failover could grant it twice. */
export class ReplicasError extends Error {
  override readonly name = 'ReplicasError'
}

/**
 * Waits until enough replicas of the server of `key` have what `client` wrote.
 *
 * @throws ReplicasError
 */
export async function awaitReplicas(
  client: RedisClient,
  key: string,
  { min, timeoutMs }: LockReplicas,
): Promise<void> {
  const server = isCluster(client) ? masterFinder(client)(hashTagOf(key)) : client
  if (server === undefined) throw new ReplicasError('The master of the lock is not known')
  const reached = numberOf(await server.wait(min, Math.max(1, Math.ceil(timeoutMs))))
  if (reached < min) {
    throw new ReplicasError(`${reached} of ${min} replicas had the lock within ${timeoutMs} ms`)
  }
}
