import type { InspectedServer } from '@larder/redis-store/inspect'
import { type Check, fail, ok, unknown, warn, worstOf } from './check.ts'
import type { Examined } from './examined.ts'
import { numberIn } from './numbers.ts'

const LONG_FORK_US = 100_000
const US_PER_MS = 1_000

export async function checkPersistence({ inspection }: Examined): Promise<Check> {
  return worstOf(await Promise.all(inspection.servers().map(persistenceOf)))
}

async function persistenceOf(server: InspectedServer): Promise<Check> {
  const [info, stats] = await Promise.all([server.info('persistence'), server.info('stats')])
  const snapshot = info.get('rdb_last_bgsave_status')
  if (snapshot === undefined) return unknown('persistence', 'The server does not say.')
  const appends = info.get('aof_enabled') === '1'
  const found = appends ? 'append-only file' : 'snapshots, if any are configured'
  if (snapshot !== 'ok' || (appends && info.get('aof_last_write_status') === 'err')) {
    return fail('persistence', {
      found: `${found}; the last one failed`,
      why: 'Redis refuses writes after a failed snapshot, unless stop-writes-on-bgsave-error is no.',
      fix: 'See the log of the server: the disk is full, or the fork failed.',
    })
  }
  const forkUs = numberIn(stats, 'latest_fork_usec') ?? 0
  if (forkUs > LONG_FORK_US) {
    return warn('persistence', {
      found: `${found}; the last fork took ${Math.round(forkUs / US_PER_MS)} ms`,
      why: 'The server answers nobody while it forks.',
      fix: 'Snapshot a replica, or none: what a cache loses is loaded again.',
    })
  }
  return ok('persistence', found)
}
