/** Finds out when connecting what would otherwise fail at every call. */

import { StoreRefusedError } from '@larder/core'
import { tagsKey } from '../key-layout.ts'
import type { RedisClient } from './redis-client.ts'
import { withoutCommand } from './redis-error.ts'
import { refusalOf } from './refusal.ts'

/** It may lag behind an eviction, so it is not read from either. */
const REPLICA = 'Give the address of the master, or let Sentinel or a Cluster find it.'

/**
 * Writes nothing where a write would go.
 *
 * A server that refuses for another reason than the ones below still answers reads, and takes messages: it stands.
 *
 * @throws StoreRefusedError for a replica, and for a server that is loading or requires a password
 */
export async function assertWritable(client: RedisClient, namespace: string): Promise<void> {
  try {
    // Removing an absent member takes no memory, so a full server does it too.
    await client.zrem(tagsKey(namespace), '')
  } catch (error) {
    const reason = refusalOf(error)
    const words = error instanceof Error ? error.message : ''
    const isStranger = /^(NOAUTH|WRONGPASS) /.test(words)
    if (reason === 'readonly' || reason === 'loading' || isStranger) {
      const said = reason === 'readonly' ? `${words} ${REPLICA}` : words
      throw new StoreRefusedError('the connection', reason ?? 'rights', said, withoutCommand(error))
    }
    if (reason === undefined && !/^(WRONGTYPE|ERR) /.test(words)) throw error
  }
}
