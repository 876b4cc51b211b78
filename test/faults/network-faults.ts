/** What a network does to nodes and servers, one thing after the other, at all proxies at once. */

import { setTimeout as delay } from 'node:timers/promises'
import type { TcpProxy } from '../support/proxy/tcp-proxy.ts'

/** Above `maxStaleness`. */
const LASTS_MS = 1_200
const SHORT_MS = 700
const SLOW_MS = 60

export const NETWORK_FAULTS: Readonly<
  Record<string, (proxies: readonly TcpProxy[]) => Promise<void>>
> = {
  async 'pub/sub messages get lost'(proxies) {
    for (const proxy of proxies) proxy.dropMessages()
    await delay(LASTS_MS)
    await healed(proxies)
  },
  async 'connections are cut'(proxies) {
    for (let n = 0; n < 3; n++) {
      for (const proxy of proxies) proxy.cut()
      await delay(SHORT_MS / 3)
    }
  },
  async 'replies get lost'(proxies) {
    for (const proxy of proxies) proxy.dropReplies({ match: isOfTheCache, times: 2 })
    await delay(SHORT_MS)
    await healed(proxies)
  },
  async 'everything is slow'(proxies) {
    for (const proxy of proxies) proxy.delay(SLOW_MS)
    await delay(SHORT_MS)
    await healed(proxies)
  },
  async 'new connections are refused and the open ones cut'(proxies) {
    await Promise.all(proxies.map((proxy) => proxy.refuse(true)))
    for (const proxy of proxies) proxy.cut()
    await delay(LASTS_MS)
    await healed(proxies)
  },
}

/** Not what holds a connection up, or asks where the servers are. */
function isOfTheCache({ name }: { readonly name: string }): boolean {
  return !/SUBSCRIBE|HELLO|PING|INFO|CLUSTER|SENTINEL|COMMAND/.test(name)
}

async function healed(proxies: readonly TcpProxy[]): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.heal()))
}
