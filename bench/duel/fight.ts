/**
 * One contestant in one scenario, in a process of its own: `fight.ts <contestant> <scenario> <ms>`; prints a verdict as JSON.
 *
 * Two nodes with connections of their own, by way of a proxy to a Redis of its own.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { EvictionHistory } from '../../test/support/history/eviction-history.ts'
import { EvictionTraffic } from '../../test/support/history/eviction-traffic.ts'
import { startProxy } from '../../test/support/proxy/tcp-proxy.ts'
import { startRedis } from '../../test/support/redis/redis-server.ts'
import { contestants } from './contestants/index.ts'
import { scenarios } from './scenarios.ts'

/** For what a contestant does after a fault to come to rest. */
const SETTLE_MS = 4_000

const [contestantName, scenarioName, lasts] = process.argv.slice(2)
const contestant = contestants.find(({ name }) => name === contestantName)
const scenario = scenarios.find(({ name }) => name === scenarioName)
if (contestant === undefined || scenario === undefined) throw new Error('Not known')

const history = new EvictionHistory()
process.on('unhandledRejection', () => history.stray())
process.on('uncaughtException', () => history.stray())
const server = await startRedis()
const proxy = await startProxy(server)
const setup = {
  url: proxy.url,
  host: proxy.host,
  port: proxy.port,
  async load(key: string): Promise<number> {
    const version = history.load(key)
    await delay(scenario.loadMs)
    return version
  },
}
const nodes = [await contestant.start(setup), await contestant.start(setup)]
await delay(300)

const traffic = new EvictionTraffic(nodes, history)
traffic.start()
await scenario.disturb({ server, proxy, lastsMs: Number(lasts) })
await traffic.stop()
await delay(SETTLE_MS)
await traffic.readAtRest()
process.stdout.write(`${JSON.stringify(history.verdict(traffic.keys))}\n`)
await Promise.race([Promise.allSettled(nodes.map((node) => node.close())), delay(1_000)])
await proxy[Symbol.asyncDispose]()
await server.stop()
process.exit(0)
