import type { InspectedServer } from '@larder/redis-store/inspect'
import { countOf } from '../output/units.ts'
import { type Check, ok, unknown, warn, worstOf } from './check.ts'
import type { Examined } from './examined.ts'
import { numberIn } from './numbers.ts'

const FEW_LEFT = 0.1

export async function checkConnections({ inspection }: Examined): Promise<Check> {
  return worstOf(await Promise.all(inspection.servers().map(connectionsOf)))
}

async function connectionsOf(server: InspectedServer): Promise<Check> {
  const info = await server.info('clients')
  const used = numberIn(info, 'connected_clients')
  const most = numberIn(info, 'maxclients')
  if (used === undefined || most === undefined) {
    return unknown('connections', 'The server does not say how many connections it takes.')
  }
  const found = `${countOf(used)} of ${countOf(most)}`
  if (used < most * (1 - FEW_LEFT)) return ok('connections', found)
  return warn('connections', {
    found,
    why: 'Each node needs two, and one more for locks that wait for replicas.',
    fix: 'Raise maxclients, or find out which clients keep so many connections.',
  })
}
