/** The nodes that run, as far as that can be read: those that report themselves, and how many listen to the bus. */

import type { Fleet } from '@larder/core'
import { fleetOf } from '@larder/core/store'
import { readIdentity } from '../bus/store-identity.ts'
import { numberOf } from '../commands/replies.ts'
import { refusalOf } from '../connection/refusal.ts'
import { readHeartbeats } from '../fleet/read-heartbeats.ts'
import { channelName } from '../key-layout.ts'
import type { Inspected } from './inspected.ts'

export interface SeenFleet {
  /** How many connections listen to the bus, which is one per manager with a shared tier; `undefined` when the server does not say. */
  readonly listening: number | undefined
  /** Nodes with the option `fleet`; `undefined` when the user has no right to read what they report. */
  readonly reported: Fleet | undefined
}

export async function readFleet(inspection: Inspected, namespace: string): Promise<SeenFleet> {
  const [listening, reported] = await Promise.all([
    countListeners(inspection, namespace),
    readReported(inspection, namespace),
  ])
  return { listening, reported }
}

async function readReported({ client }: Inspected, namespace: string): Promise<Fleet | undefined> {
  try {
    return fleetOf(await readHeartbeats(client, namespace), null)
  } catch (error) {
    if (refusalOf(error) === 'rights') return undefined
    throw error
  }
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
