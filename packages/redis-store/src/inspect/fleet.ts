/**
 * The nodes that run, as far as that can be read: how many listen to the bus. This is the one place to add what nodes say of
 * themselves.
 */

import { readIdentity } from '../bus/store-identity.ts'
import { numberOf } from '../commands/replies.ts'
import { channelName } from '../key-layout.ts'
import type { Inspected } from './inspected.ts'

/** What a node says of itself. */
export interface NodeReport {
  readonly id: string
  readonly host: string | undefined
  readonly pid: number | undefined
  readonly upSinceMs: number | undefined
}

export interface Fleet {
  /** How many connections listen to the bus, which is one per manager with a shared tier; `undefined` when the server does not say. */
  readonly listening: number | undefined
  /** `undefined`: nodes do not report themselves here. */
  readonly nodes: readonly NodeReport[] | undefined
}

export async function readFleet(inspection: Inspected, namespace: string): Promise<Fleet> {
  return { listening: await countListeners(inspection, namespace), nodes: undefined }
}

async function countListeners(
  inspection: Inspected,
  namespace: string,
): Promise<number | undefined> {
  const { client, database } = inspection
  try {
    const identity = (await readIdentity(client, namespace)) ?? ''
    const channel = channelName(namespace, { database, identity })
    // Each server of a Cluster knows only who is connected to it.
    const counts = await Promise.all(
      inspection.servers('all').map(async (server) => {
        const [, count] = await server.list('PUBSUB', 'NUMSUB', channel)
        return numberOf(count)
      }),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  } catch {
    return undefined
  }
}
