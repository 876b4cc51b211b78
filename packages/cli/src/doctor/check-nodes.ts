import type { FleetNode } from '@larder/core'
import { counted, countOf } from '../output/units.ts'
import { type Check, ok, unknown, warn } from './check.ts'
import type { Examined } from './examined.ts'

export async function checkNodes({ inspection, namespace }: Examined): Promise<Check> {
  const { listening, reported } = await inspection.fleet(namespace)
  const nodes = reported?.nodes ?? []
  const found = [
    ...(listening === undefined
      ? []
      : [`${counted(listening, 'node')} ${listening === 1 ? 'listens' : 'listen'}`]),
    ...(nodes.length > 0 ? [`${counted(nodes.length, 'node')} reported`] : []),
  ]
  if (found.length === 0) return unknown('nodes', 'The server does not say who listens.')
  const faults = faultsOf(nodes)
  if (faults.length === 0) return ok('nodes', found.join(', '))
  return warn('nodes', {
    found: `${found.join(', ')}: ${faults.join(', ')}`,
    why: 'A late node has ended or lost the store; one that is degraded serves fewer hits; different versions should meet only during a deployment.',
    fix: 'larder nodes shows which they are, and what is wrong with each.',
  })
}

function faultsOf(nodes: readonly FleetNode[]): readonly string[] {
  const late = nodes.filter(({ state }) => state === 'late')
  const degraded = nodes.filter(({ state, status }) => state === 'up' && status.health !== 'up')
  const versions = new Set(nodes.map(({ versions: { larder } }) => larder))
  return [
    ...(late.length > 0 ? [`${countOf(late.length)} late`] : []),
    ...(degraded.length > 0 ? [`${countOf(degraded.length)} degraded`] : []),
    ...(versions.size > 1 ? [`versions ${[...versions].sort().join(' and ')}`] : []),
  ]
}
