/** How often does each operation wait for Redis, and with how many bytes? Counted at the socket, by a proxy between. */

import { setTimeout as sleep } from 'node:timers/promises'
import { startProxy } from '../../test/support/proxy/tcp-proxy.ts'
import { operationsOn } from './operations.ts'

export interface RoundTrips {
  readonly name: string
  readonly roundTrips: number
  readonly commands: number
  readonly bytesOut: number
  readonly bytesIn: number
}

/** What follows an answer, such as the message about an eviction, belongs to it. */
const SETTLES_MS = 50

/** Means over `times` calls, one after the other. What runs in the background, as looking for changes does, is part of it. */
export async function roundTrips(url: string, times: number): Promise<readonly RoundTrips[]> {
  const { hostname, port } = new URL(url)
  await using proxy = await startProxy({ url, host: hostname, port: Number(port || 6379) })
  await using operations = operationsOn(proxy.url)
  const rows: RoundTrips[] = []
  for (const { name, run, prepare } of operations.all) {
    await prepare?.(0, times + 1)
    await run(times)
    await sleep(SETTLES_MS)
    proxy.resetCounters()
    for (let n = 0; n < times; n++) await run(n)
    await sleep(SETTLES_MS)
    rows.push({
      name,
      roundTrips: proxy.roundTrips() / times,
      commands: proxy.commands() / times,
      bytesOut: proxy.bytes('to-server') / times,
      bytesIn: proxy.bytes('to-client') / times,
    })
  }
  return rows
}
