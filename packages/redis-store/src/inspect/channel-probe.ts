/** Tries whether what is published arrives: from each server that takes writes, at a connection that listens. */

import { startTimer } from '@larder/core/store'
import { subscriberOf } from '../connection/cluster-nodes.ts'
import { Connection } from '../connection/connection.ts'
import { createClient } from '../connection/create-client.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import type { ResolvedRedisStoreOptions } from '../options.ts'
import type { Inspected } from './inspected.ts'

/** What became of what one server was given to publish. */
export interface Delivery {
  readonly address: string
  /** How long it took, ms; `undefined` when it did not come in time. */
  readonly tookMs: number | undefined
}

export interface ChannelProbe {
  readonly channel: string
  readonly withinMs: number
}

/** @throws what subscribing or publishing was refused with */
export async function probeChannel(
  inspected: Inspected,
  { target }: ResolvedRedisStoreOptions,
  { channel, withinMs }: ChannelProbe,
): Promise<readonly Delivery[]> {
  const { client, database } = inspected
  const connection = new Connection(
    isCluster(client) ? subscriberOf(client) : await createClient(target, database),
  )
  try {
    await connection.establish(async (listening) => listening.subscribe(channel))
    const deliveries: Delivery[] = []
    // One after the other, so that each is told from the others.
    for (const server of inspected.servers()) {
      const begun = performance.now()
      const arrived = arrivalOf(connection.client, withinMs)
      await server.ask('PUBLISH', channel, server.address)
      const tookMs = (await arrived) ? performance.now() - begun : undefined
      deliveries.push({ address: server.address, tookMs })
    }
    return deliveries
  } finally {
    connection.end(new Error('The probe is over'))
    await connection.closed
  }
}

/** True once something arrives; false when the time is over. */
function arrivalOf(client: RedisClient, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (didArrive: boolean): void => {
      cancel()
      client.off('messageBuffer', arrive)
      resolve(didArrive)
    }
    const arrive = (): void => end(true)
    const cancel = startTimer(withinMs, () => end(false), 'caller')
    client.on('messageBuffer', arrive)
  })
}
