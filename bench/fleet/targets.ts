/** What the project wants a fleet to cost, against the largest fleet of this run. */

import type { Target } from '../report.ts'
import type { LoadSize, Size } from './measure.ts'

const SYNC_US = 20
const EVICTIONS_PER_SECOND = 5_000
/** The default of `maxStaleness`, ms. */
const STALENESS_MS = 2_000
/** What an open loop on a busy machine falls short of what it was asked for. */
const NEARLY = 0.95

export function targetsOf(sizes: readonly Size[], loads: readonly LoadSize[]): readonly Target[] {
  const atRest = largest(
    sizes.filter((size) => size.scheme === 'Larder' && size.servers !== 'Cluster'),
  )
  const loaded = largest(loads.filter(({ scheme }) => scheme === 'Larder'))
  return [
    ...(atRest === undefined
      ? []
      : [
          {
            id: 'P19',
            what: `${atRest.nodes} nodes at rest, µs a node and sync`,
            measured: atRest.idle.cpuUsPerRound,
            atMost: SYNC_US,
          },
        ]),
    ...(loaded === undefined ? [] : loadTargets(loaded)),
  ]
}

function loadTargets({ nodes, perSecond, coreShare, oldestMs }: LoadSize): readonly Target[] {
  return [
    {
      id: 'P20',
      what: `${nodes} nodes, evictions a second`,
      measured: perSecond,
      atLeast: NEARLY * EVICTIONS_PER_SECOND,
    },
    { id: 'P20', what: 'the same, share of a core', measured: coreShare, atMost: 1 },
    {
      id: 'P20',
      what: 'the same, oldest value served, ms',
      measured: oldestMs,
      atMost: STALENESS_MS,
    },
  ]
}

function largest<One extends { readonly nodes: number }>(all: readonly One[]): One | undefined {
  return [...all].sort((a, b) => b.nodes - a.nodes)[0]
}
