/** Whether a server keeps what it is given: it writes an append-only file, and drops nothing for room. */

import { StoreSetupError } from '@larder/core'
import { isCluster, type RedisClient } from './redis-client.ts'

/** What the server is asked to keep, for texts. */
export interface KeptHere {
  /** Such as `an event store`. */
  readonly what: string
  /** The option that gives it a server of its own. */
  readonly option: string
}

/** What is wrong with the servers; empty when nothing is, or when they do not say. Never rejects. */
export async function keepingTroubles(
  client: RedisClient,
  whose: KeptHere,
): Promise<readonly StoreSetupError[]> {
  const servers = isCluster(client) ? client.nodes('master') : [client]
  const found = await Promise.all(servers.map((server) => troublesOf(server, whose)))
  const texts = new Set(found.flat())
  return Array.from(texts, (text) => new StoreSetupError(text))
}

async function troublesOf(
  server: RedisClient,
  { what: whose, option }: KeptHere,
): Promise<readonly string[]> {
  const [memory, persistence] = await Promise.all([
    infoOf(server, 'memory'),
    infoOf(server, 'persistence'),
  ])
  const policy = memory.get('maxmemory_policy') ?? 'noeviction'
  const troubles: string[] = []
  if (policy !== 'noeviction') {
    const what = `The server of ${whose} drops keys for room (maxmemory-policy ${policy}), and what is in them with them.`
    troubles.push(`${what} Set maxmemory-policy noeviction, or give ${option} a server of its own.`)
  }
  if (persistence.get('aof_enabled') === '0') {
    const what = `The server of ${whose} writes no append-only file, and loses what was added last when it ends.`
    troubles.push(`${what} Set appendonly yes, or give ${option} a server of its own.`)
  }
  return troubles
}

/** Empty where the user has no right to ask, which is common with a service. */
async function infoOf(server: RedisClient, section: string): Promise<ReadonlyMap<string, string>> {
  try {
    const text = String(await server.call('INFO', section))
    const lines = text.split(/\r?\n/).map((line) => line.split(':'))
    return new Map(lines.map(([name = '', value = '']) => [name, value]))
  } catch {
    return new Map()
  }
}
