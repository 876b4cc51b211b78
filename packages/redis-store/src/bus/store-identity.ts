/**
 * The identity of a store: a random text that the first node leaves in it.
 *
 * It travels with the data: through replication, failovers and snapshots it stays, and a store that lost everything gets a
 * new one. So two stores have the same one only where one is a copy of the other.
 */

import { randomBytes } from 'node:crypto'
import type { RedisClient } from '../connection/redis-client.ts'
import { isRefusal } from '../connection/refusal.ts'
import { storeKey } from '../key-layout.ts'

const IDENTITY_BYTES = 9
const IDENTITY = /^[\w-]{1,64}$/

/**
 * Reads the identity of a store, and leaves one there if there is none.
 *
 * @returns an empty text where the store refuses to keep one, or to return it
 * @throws what the connection failed with
 */
export async function identify(client: RedisClient, namespace: string): Promise<string> {
  try {
    return (await readIdentity(client, namespace)) ?? (await leaveIdentity(client, namespace))
  } catch (error) {
    if (isRefusal(error)) return ''
    throw error
  }
}

/** The identity of the store now; `undefined` when it has none. */
export async function readIdentity(
  client: RedisClient,
  namespace: string,
): Promise<string | undefined> {
  const found = await client.getBuffer(storeKey(namespace))
  const text = found?.toString('latin1')
  return text !== undefined && IDENTITY.test(text) ? text : undefined
}

/** When several nodes do this at once, the first identity stays. */
async function leaveIdentity(client: RedisClient, namespace: string): Promise<string> {
  const identity = randomBytes(IDENTITY_BYTES).toString('base64url')
  await client.set(storeKey(namespace), identity, 'NX')
  return (await readIdentity(client, namespace)) ?? ''
}
