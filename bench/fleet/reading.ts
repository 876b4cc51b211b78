/** What Redis itself says that it did: its processor, commands, messages and bytes, of one server or of all masters together. */

import { Redis } from 'ioredis'
import { cpuUsOf } from '../resources/redis-cpu.ts'

export interface Reading {
  /** Of the servers' main threads, system calls included. */
  readonly cpuUs: number
  /** Commands, those that scripts call among them. */
  readonly commands: number
  readonly publishes: number
  readonly scripts: number
  /** Rounds of `sync`, each of which asks the tag clock once. */
  readonly syncs: number
  readonly pings: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** When it was taken, monotonic ms. */
  readonly atMs: number
}

/** How far counters went between two readings. */
export type Spent = Reading & { readonly tookMs: number }

export class Gauge implements Disposable {
  readonly #clients: readonly Redis[]

  constructor(urls: readonly string[]) {
    this.#clients = urls.map((url) => new Redis(url))
  }

  async read(): Promise<Reading> {
    const each = await Promise.all(this.#clients.map(readingOf))
    const sum = (of: (reading: Omit<Reading, 'atMs'>) => number): number =>
      each.reduce((total, reading) => total + of(reading), 0)
    return {
      cpuUs: sum(({ cpuUs }) => cpuUs),
      commands: sum(({ commands }) => commands),
      publishes: sum(({ publishes }) => publishes),
      scripts: sum(({ scripts }) => scripts),
      syncs: sum(({ syncs }) => syncs),
      pings: sum(({ pings }) => pings),
      bytesIn: sum(({ bytesIn }) => bytesIn),
      bytesOut: sum(({ bytesOut }) => bytesOut),
      atMs: performance.now(),
    }
  }

  /** Runs something, and tells what it cost the servers. */
  async during(run: () => Promise<unknown>): Promise<Spent> {
    const before = await this.read()
    await run()
    return spentBetween(before, await this.read())
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.disconnect()
  }
}

function spentBetween(before: Reading, after: Reading): Spent {
  return {
    cpuUs: after.cpuUs - before.cpuUs,
    commands: after.commands - before.commands,
    publishes: after.publishes - before.publishes,
    scripts: after.scripts - before.scripts,
    syncs: after.syncs - before.syncs,
    pings: after.pings - before.pings,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    atMs: after.atMs,
    tookMs: after.atMs - before.atMs,
  }
}

async function readingOf(client: Redis): Promise<Omit<Reading, 'atMs'>> {
  const [cpuUs, stats, byCommand] = await Promise.all([
    cpuUsOf(client),
    client.info('stats'),
    client.info('commandstats'),
  ])
  const stat = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1] ?? 0)
  const calls = (name: string): number =>
    Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(byCommand)?.[1] ?? 0)
  return {
    cpuUs,
    commands: stat('total_commands_processed') - calls('info'),
    publishes: calls('publish'),
    scripts: calls('evalsha') + calls('eval'),
    syncs: calls('zmscore'),
    pings: calls('ping'),
    bytesIn: stat('total_net_input_bytes'),
    bytesOut: stat('total_net_output_bytes'),
  }
}
