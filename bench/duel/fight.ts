/**
 * One contestant in one scenario, in a process of its own: `fight.ts <contestant> <scenario> <ms>`; prints a verdict as JSON.
 *
 * Two nodes with connections of their own, by way of a proxy to a Redis of its own.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { startRedis } from '../../test/support/redis-server.ts'
import { startProxy } from '../../test/support/tcp-proxy.ts'
import type { DuelNode } from './contestant.ts'
import { contestants } from './contestants/index.ts'
import { History } from './history.ts'
import { scenarios } from './scenarios.ts'

const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`)
const READERS_PER_NODE = 6
const READ_EVERY_MS = 2
const WRITE_EVERY_MS = 15
const HUNG_AFTER_MS = 10_000
/** For what a contestant does after a fault to come to rest. */
const SETTLE_MS = 4_000

const [contestantName, scenarioName, lasts] = process.argv.slice(2)
const contestant = contestants.find(({ name }) => name === contestantName)
const scenario = scenarios.find(({ name }) => name === scenarioName)
if (contestant === undefined || scenario === undefined) throw new Error('Not known')

const history = new History()
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

let isOver = false
const traffic = [
  ...nodes.flatMap((node, index) =>
    Array.from({ length: READERS_PER_NODE }, () => readOn(node, index)),
  ),
  writeOn(),
]
await scenario.disturb({ server, proxy, lastsMs: Number(lasts) })
isOver = true
await Promise.race([Promise.all(traffic), delay(HUNG_AFTER_MS)])
await delay(SETTLE_MS)
for (const node of nodes) {
  for (const key of KEYS) {
    const version = await bounded(node.read(key))
    if (version !== undefined) history.readAtRest(key, version)
  }
}
process.stdout.write(`${JSON.stringify(history.verdict(KEYS.length))}\n`)
await Promise.race([Promise.allSettled(nodes.map((node) => node.close())), delay(1_000)])
await proxy[Symbol.asyncDispose]()
await server.stop()
process.exit(0)

async function readOn(node: DuelNode, index: number): Promise<void> {
  while (!isOver) {
    const key = anyKey()
    const startedAt = performance.now()
    const version = await bounded(node.read(key), startedAt)
    if (version !== undefined) history.read(key, version, index, startedAt)
    await delay(READ_EVERY_MS)
  }
}

async function writeOn(): Promise<void> {
  for (let n = 0; !isOver; n++) {
    const key = anyKey()
    const version = history.write(key)
    const index = n % nodes.length
    // Not waited for: an application that serves many does not stop writing because one eviction hangs.
    void evict(nodes[index] as DuelNode, key, version, index)
    await delay(WRITE_EVERY_MS)
  }
}

async function evict(node: DuelNode, key: string, version: number, index: number): Promise<void> {
  const startedAt = performance.now()
  const isDone = await bounded(
    node.evict(key).then(() => true),
    startedAt,
  )
  if (isDone === true) history.evicted(key, version, index)
}

/** The outcome of a call, or `undefined` when it failed or hung; both are written down. */
async function bounded<Result>(
  call: Promise<Result>,
  startedAt = performance.now(),
): Promise<Result | undefined> {
  const ending = new AbortController()
  const patience = delay(HUNG_AFTER_MS, 'hung' as const, { signal: ending.signal, ref: false })
  try {
    const outcome = await Promise.race([call, patience])
    if (outcome !== 'hung') return outcome
    history.hung(startedAt)
  } catch {
    history.failed(startedAt)
  } finally {
    ending.abort()
    patience.catch(() => undefined)
  }
  return undefined
}

function anyKey(): string {
  return KEYS[Math.floor(Math.random() * KEYS.length)] ?? 'k0'
}
