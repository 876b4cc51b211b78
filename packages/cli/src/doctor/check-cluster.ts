import { ALL_PARTITIONS, PARTITIONS } from '@larder/core/store'
import { type Check, fail, ok, warn } from './check.ts'
import type { Examined } from './examined.ts'

const SLOTS = '16384'

/** The state of a Cluster, and how evenly the partitions are spread over its masters. */
export async function checkCluster({ inspection, namespace }: Examined): Promise<Check> {
  if (!inspection.isCluster) return ok('cluster', 'none')
  const [first] = inspection.servers()
  const info = (await first?.text('CLUSTER', 'INFO')) ?? ''
  const field = (name: string): string => new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1] ?? ''
  if (field('cluster_state') !== 'ok' || field('cluster_slots_assigned') !== SLOTS) {
    return fail('cluster', {
      found: `state ${field('cluster_state')}, ${field('cluster_slots_assigned')} of ${SLOTS} slots served`,
      why: 'Keys of the other slots cannot be read or evicted.',
      fix: 'Look at CLUSTER NODES: a master without a replica is down, or slots were not assigned.',
    })
  }
  const shares = ALL_PARTITIONS.map((partition) => inspection.masterOf(namespace, partition))
  const masters = inspection.servers().length
  const counts = new Map<string | undefined, number>()
  for (const master of shares) counts.set(master, (counts.get(master) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const found = `${masters} masters; the fullest has ${most} of ${PARTITIONS} partitions`
  if (most <= (2 * PARTITIONS) / masters) return ok('cluster', found)
  return warn('cluster', {
    found,
    why: 'One server does the work of several.',
    fix: 'Move slots, or choose another namespace: its partitions are spread differently.',
  })
}
