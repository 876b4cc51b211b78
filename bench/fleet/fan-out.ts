/** What a message costs Redis by the number of subscribers and by its length: the fewer and longer, the cheaper a change? */

import { Redis } from 'ioredis'
import { Crew } from './crew.ts'
import { Gauge } from './reading.ts'
import type { Servers } from './schemes.ts'

export interface FanOut {
  readonly subscribers: number
  readonly bytes: number
  /** Of one message, for each subscriber. */
  readonly cpuUsEach: number
}

const CHANNEL = 'fleet:fan-out'

export async function fanOut(
  servers: Servers,
  subscribers: number,
  sizes: readonly number[],
  times: number,
): Promise<readonly FanOut[]> {
  const [url = ''] = servers.urls
  using gauge = new Gauge([url])
  await using crew = await Crew.start({ scheme: 'DEL + PUBLISH', servers, nodes: 1 })
  await crew.listen(url, CHANNEL, subscribers)
  const publisher = new Redis(url)
  const found: FanOut[] = []
  for (const bytes of sizes) {
    const message = 'x'.repeat(bytes)
    const { cpuUs } = await gauge.during(async () => {
      for (let i = 0; i < times; i++) await publisher.publish(CHANNEL, message)
    })
    found.push({ subscribers, bytes, cpuUsEach: cpuUs / times / subscribers })
  }
  publisher.disconnect()
  return found
}
