import { eventually } from '../eventually.ts'
import type { RedisServer } from './redis-server.ts'

/**
 * Waits until a replica has its master's data and follows it.
 *
 * @throws Error when that takes longer than 20 s
 */
export async function assertFollows(replica: RedisServer): Promise<void> {
  await eventually(
    `the replica on port ${replica.port} follows its master`,
    async () => (await replication(replica)).includes('master_link_status:up'),
    20_000,
  )
}

/** The part a server plays now: 'master' or 'slave'. */
export async function roleOf(server: RedisServer): Promise<string | undefined> {
  return /role:(\w+)/.exec(await replication(server))?.[1]
}

async function replication(server: RedisServer): Promise<string> {
  return String(await server.command('INFO', 'replication'))
}
