/** Whether a server drops keys that nobody has removed, when it is full. */

import { textOf } from '../commands/replies.ts'
import { type ClusterClient, isCluster, type RedisClient } from '../connection/redis-client.ts'

/** Queues have no end of their own, so a server that drops only what has one keeps them. `undefined` where it does not say. */
export async function keepsAll(client: RedisClient): Promise<boolean | undefined> {
  const servers = isCluster(client) ? (client as ClusterClient).nodes('master') : [client]
  const answers = await Promise.all(servers.map(keeps))
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

async function keeps(server: RedisClient): Promise<boolean | undefined> {
  try {
    const info = textOf(await server.call('INFO', 'memory'))
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
    return policy === undefined ? undefined : !policy.startsWith('allkeys-')
  } catch (error) {
    // Managed servers may refuse it.
    if (error instanceof Error && error.name === 'ReplyError') return undefined
    throw error
  }
}
