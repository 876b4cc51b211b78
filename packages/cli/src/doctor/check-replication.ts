import type { InspectedServer } from '@larder/redis-store/inspect'
import { counted } from '../output/units.ts'
import { type Check, fail, ok, unknown, warn, worstOf } from './check.ts'
import type { Examined } from './examined.ts'
import { numberIn } from './numbers.ts'

/** The usual `maxStaleness`, s. */
const LONGEST_LAG_S = 2

export async function checkReplication({ inspection }: Examined): Promise<Check> {
  return worstOf(await Promise.all(inspection.servers().map(replicationOf)))
}

async function replicationOf(server: InspectedServer): Promise<Check> {
  const info = await server.info('replication')
  const role = info.get('role')
  if (role === undefined) return unknown('replication', 'The server does not say its role.')
  if (role !== 'master') {
    return fail('replication', {
      found: `${server.address} is a ${role === 'slave' ? 'replica' : role}`,
      why: 'A replica refuses evictions, and may still have what was evicted on its master.',
      fix: 'Give the address of the master, or let Sentinel or a Cluster find it.',
    })
  }
  const replicas = [...info].filter(([name]) => /^slave\d+$/.test(name)).map(([, text]) => text)
  const away = replicas.filter((text) => !text.includes('state=online')).length
  const lag = Math.max(0, ...replicas.map((text) => Number(/lag=(\d+)/.exec(text)?.[1] ?? 0)))
  const found = `a master with ${counted(numberIn(info, 'connected_slaves') ?? 0, 'replica')}`
  if (away > 0 || lag > LONGEST_LAG_S) {
    return warn('replication', {
      found: `${found}; ${away} not in step, ${lag} s behind at the most`,
      why: 'A failover loses what was not replicated; nodes repeat their own evictions of the last minute.',
      fix: 'Check the network between the servers, and repl-backlog-size.',
    })
  }
  return ok('replication', found)
}
