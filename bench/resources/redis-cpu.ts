/** How much of Redis's processor does each operation take, and what does each command or script call take there? */

import { Redis } from 'ioredis'
import { type Operation, operationsOn } from './operations.ts'

export interface CommandCost {
  readonly name: string
  readonly callsPerOperation: number
  readonly usPerCall: number
}

export interface RedisCpu {
  readonly name: string
  readonly callers: number
  /** Of the server's main thread or process, system calls included. */
  readonly usPerOperation: number
  /** Those that the operation makes; a script is an `evalsha`, and what it calls is in its time. */
  readonly commands: readonly CommandCost[]
}

interface Reading {
  readonly cpuUs: number
  readonly commands: ReadonlyMap<string, { readonly calls: number; readonly us: number }>
}

/** Less often than this is the background's, not the operation's. */
const LEAST_CALLS = 0.01

/** One caller, for which each operation is a command or script of its own, and many, who share them. */
export async function redisCpu(
  url: string,
  callers: readonly number[],
  times: number,
): Promise<readonly RedisCpu[]> {
  const client = new Redis(url)
  await using operations = operationsOn(url)
  const rows: RedisCpu[] = []
  for (const operation of operations.all.filter(({ name }) => name !== 'local hit')) {
    for (const [i, count] of callers.entries()) {
      const from = i * times
      await operation.prepare?.(from, times)
      const before = await readingOf(client)
      await run(operation, from, times, count)
      const after = await readingOf(client)
      rows.push({ name: operation.name, callers: count, ...costOf(before, after, times) })
    }
  }
  client.disconnect()
  return rows
}

async function run(
  operation: Operation,
  from: number,
  times: number,
  callers: number,
): Promise<void> {
  let next = from
  const loop = async (): Promise<void> => {
    while (next < from + times) {
      next += 1
      await operation.run(next - 1)
    }
  }
  await Promise.all(Array.from({ length: callers }, loop))
}

/** What the server's main thread, or the server, has used of its processor, µs. */
export async function cpuUsOf(client: Redis): Promise<number> {
  const cpu = await client.info('cpu')
  // Valkey and old servers have no figure for the main thread alone.
  const of = (name: string): number =>
    Number(
      new RegExp(`${name}_main_thread:([\\d.]+)`).exec(cpu)?.[1] ??
        new RegExp(`${name}:([\\d.]+)`).exec(cpu)?.[1],
    )
  return (of('used_cpu_user') + of('used_cpu_sys')) * 1e6
}

async function readingOf(client: Redis): Promise<Reading> {
  const [cpuUs, stats] = await Promise.all([cpuUsOf(client), client.info('commandstats')])
  const commands = new Map<string, { calls: number; us: number }>()
  for (const [, name = '', calls, us] of stats.matchAll(/cmdstat_(\S+?):calls=(\d+),usec=(\d+)/g))
    commands.set(name, { calls: Number(calls), us: Number(us) })
  return { cpuUs, commands }
}

function costOf(
  before: Reading,
  after: Reading,
  times: number,
): Pick<RedisCpu, 'usPerOperation' | 'commands'> {
  const commands: CommandCost[] = []
  for (const [name, { calls, us }] of after.commands) {
    const earlier = before.commands.get(name) ?? { calls: 0, us: 0 }
    const made = calls - earlier.calls
    if (name === 'info' || made / times < LEAST_CALLS) continue
    commands.push({ name, callsPerOperation: made / times, usPerCall: (us - earlier.us) / made })
  }
  return { usPerOperation: (after.cpuUs - before.cpuUs) / times, commands }
}
