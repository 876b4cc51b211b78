/** The questions, each of a fleet of one size: what does it cost Redis while nothing happens, for one eviction, and under many? */

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Crew } from './crew.ts'
import { Gauge, type Spent } from './reading.ts'
import { NAMESPACE, PLAIN_CHANNEL, type SchemeName, type Servers } from './schemes.ts'

export interface Lengths {
  /** How long a fleet is left alone after it has connected, ms. */
  readonly settleMs: number
  /** How long a fleet is watched while nothing happens, ms. */
  readonly idleMs: number
  /** Evictions that are measured one by one. */
  readonly evictions: number
  /** How long a fleet evicts as much as it is asked to, ms. */
  readonly loadMs: number
}

/** Costs while nothing is asked of anybody, without what the servers cost by themselves. */
export interface Idle {
  readonly cpuUsPerSecond: number
  readonly commandsPerSecond: number
  /** A round is a sync, or the PING in its place; the plain scheme has none. */
  readonly roundsPerSecond: number
  readonly cpuUsPerRound: number
  readonly commandsPerRound: number
  readonly bytesPerRound: number
}

export interface PerEviction {
  readonly cpuUs: number
  readonly commands: number
  readonly messages: number
  readonly bytesOut: number
}

export interface Loaded {
  readonly askedPerSecond: number
  readonly perSecond: number
  /** Of one core of each master, all together. */
  readonly coreShare: number
  readonly cpuUsPerEviction: number
  readonly messagesPerSecond: number
  /** More than one: logs are read. Less: evictions of one moment share a script. */
  readonly scriptsPerEviction: number
  readonly bytesOutPerSecond: number
  /** The longest time that a node served what had been evicted, ms. */
  readonly oldestMs: number
  /** Nodes that are real; the others are subscribers that read and forget. */
  readonly realNodes: number
}

export interface Size {
  readonly scheme: SchemeName
  readonly servers: 'one Redis' | 'Cluster'
  readonly nodes: number
  readonly idle: Idle
  readonly eviction: PerEviction
}

export interface LoadSize extends Loaded {
  readonly scheme: SchemeName
  readonly nodes: number
}

/** More nodes than this would take the processors that Redis needs, when each hears of thousands of evictions a second. */
const MOST_REAL_NODES = 4
/** One process would not evict fast enough; two of them look for old values at each other. */
const BUSY_PER_PROCESS = 2

export interface Question {
  readonly scheme: SchemeName
  readonly servers: Servers
  readonly nodes: number
  readonly lengths: Lengths
}

/** Asks about a fleet at rest, and about one eviction after the other. */
export async function atRest({ scheme, servers, nodes, lengths }: Question): Promise<Size> {
  using gauge = new Gauge(servers.urls)
  const alone = await gauge.during(() => sleep(lengths.idleMs))
  await using crew = await Crew.start({ scheme, servers, nodes })
  await sleep(lengths.settleMs)
  const idle = await gauge.during(() => sleep(lengths.idleMs))
  const evictions = await gauge.during(() => crew.evict(lengths.evictions))
  return {
    scheme,
    servers: servers.isCluster ? 'Cluster' : 'one Redis',
    nodes,
    idle: idleOf(idle, alone, scheme),
    eviction: perEviction(evictions, idle, lengths.evictions),
  }
}

function idleOf(spent: Spent, alone: Spent, scheme: SchemeName): Idle {
  const rate = (of: (each: Spent) => number): number =>
    of(spent) - (of(alone) * spent.tookMs) / alone.tookMs
  const seconds = spent.tookMs / 1_000
  const cpuUs = rate(({ cpuUs: us }) => us)
  const commands = rate((each) => each.commands)
  const rounds = scheme === 'Larder' ? spent.syncs : spent.pings
  const each = (total: number): number => (rounds === 0 ? 0 : total / rounds)
  return {
    cpuUsPerSecond: cpuUs / seconds,
    commandsPerSecond: commands / seconds,
    roundsPerSecond: rounds / seconds,
    cpuUsPerRound: each(cpuUs),
    commandsPerRound: each(commands),
    bytesPerRound: each(rate(({ bytesIn, bytesOut }) => bytesIn + bytesOut)),
  }
}

/** Without the syncs meanwhile: how many there are depends on how busy the nodes are. */
function perEviction(spent: Spent, idle: Spent, evictions: number): PerEviction {
  const each = (of: (reading: Spent) => number): number => {
    const meanwhile = idle.syncs === 0 ? 0 : (of(idle) / idle.syncs) * spent.syncs
    return (of(spent) - meanwhile) / evictions
  }
  return {
    cpuUs: each(({ cpuUs }) => cpuUs),
    commands: each(({ commands }) => commands),
    messages: each(({ publishes }) => publishes),
    bytesOut: each(({ bytesOut }) => bytesOut),
  }
}

/** Asks for evictions of keys in all partitions, by all real nodes. */
export async function underLoad(question: Question, perSecond: number): Promise<LoadSize> {
  const { scheme, servers, nodes, lengths } = question
  const realNodes = Math.min(nodes, MOST_REAL_NODES)
  using gauge = new Gauge(servers.urls)
  await using crew = await Crew.start({ scheme, servers, nodes: realNodes }, BUSY_PER_PROCESS)
  const [url = ''] = servers.urls
  await crew.listen(url, await channelOf(scheme, url), nodes - realNodes)
  await sleep(lengths.settleMs)
  let told = { evictions: 0, tookMs: 0, oldestMs: 0 }
  const spent = await gauge.during(async () => {
    told = await crew.load(perSecond, lengths.loadMs)
  })
  const seconds = spent.tookMs / 1_000
  return {
    scheme,
    nodes,
    realNodes,
    askedPerSecond: perSecond,
    perSecond: told.evictions / seconds,
    coreShare: spent.cpuUs / 1_000 / spent.tookMs,
    cpuUsPerEviction: spent.cpuUs / told.evictions,
    messagesPerSecond: spent.publishes / seconds,
    scriptsPerEviction: spent.scripts / told.evictions,
    bytesOutPerSecond: spent.bytesOut / seconds,
    oldestMs: told.oldestMs,
  }
}

async function channelOf(scheme: SchemeName, url: string): Promise<string> {
  if (scheme !== 'Larder') return PLAIN_CHANNEL
  const client = new Redis(url)
  const found = (await client.pubsub('CHANNELS', `${NAMESPACE}:bus:*`)) as string[]
  client.disconnect()
  const [channel] = found
  if (channel === undefined) throw new Error('No node of the fleet is subscribed')
  return channel
}
