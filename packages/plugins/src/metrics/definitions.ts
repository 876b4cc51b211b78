/** Every metric: what it counts, its labels, and how its name is made for Prometheus and for OpenTelemetry. */

interface Definition {
  /** A counter only grows; a gauge goes up and down; a histogram counts durations. */
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** As OpenTelemetry writes units. */
  readonly unit: '{entry}' | '{request}' | '{load}' | '{message}' | '{error}' | '1' | 's' | 'By'
  readonly help: string
  /** Beside `namespace`, which all have. */
  readonly labels: readonly string[]
  /** How the numbers of two managers of one namespace in a process become one. @default 'sum' */
  readonly merge?: 'sum' | 'max' | 'min'
}

/** By name without prefix, parts separated by dots. */
export const METRICS = {
  'cache.requests': {
    kind: 'counter',
    unit: '{request}',
    help: 'Reads by what became of them: local, remote, stale, joined or miss',
    labels: ['cache', 'result'],
  },
  'cache.misses': {
    kind: 'counter',
    unit: '{request}',
    help: 'Reads that no tier could serve, by the reason',
    labels: ['cache', 'reason'],
  },
  'cache.negative_hits': {
    kind: 'counter',
    unit: '{request}',
    help: 'Hits that said that the source has nothing',
    labels: ['cache'],
  },
  'cache.load.errors': {
    kind: 'counter',
    unit: '{load}',
    help: 'Loaders that failed',
    labels: ['cache'],
  },
  'cache.load.duration': {
    kind: 'histogram',
    unit: 's',
    help: 'How long loaders took, refreshes and failures included',
    labels: ['cache'],
  },
  'cache.remote_read.duration': {
    kind: 'histogram',
    unit: 's',
    help: 'How long reads of the shared tier took',
    labels: ['cache'],
  },
  'cache.evictions': {
    kind: 'counter',
    unit: '{entry}',
    help: 'Keys evicted by request on this node; a whole cache counts as one',
    labels: ['cache'],
  },
  'cache.drops': {
    kind: 'counter',
    unit: '{entry}',
    help: 'Entries dropped from the local tier for room',
    labels: ['cache'],
  },
  'cache.undecodable': {
    kind: 'counter',
    unit: '{entry}',
    help: 'Entries of the shared tier whose bytes could not be read',
    labels: ['cache'],
  },
  'cache.entries': {
    kind: 'gauge',
    unit: '{entry}',
    help: 'Entries in the local tier',
    labels: [],
  },
  'cache.size': {
    kind: 'gauge',
    unit: 'By',
    help: 'Estimated size of the local tier; 0 where it has no bound in bytes',
    labels: [],
  },
  'tag.evictions': {
    kind: 'counter',
    unit: '{request}',
    help: 'Tags evicted by request on this node',
    labels: [],
  },
  'method.requests': {
    kind: 'counter',
    unit: '{request}',
    help: 'Reads of decorated methods by what became of them',
    labels: ['method', 'result'],
  },
  'method.load.duration': {
    kind: 'histogram',
    unit: 's',
    help: 'How long the loads of decorated methods took',
    labels: ['method'],
  },
  'store.errors': {
    kind: 'counter',
    unit: '{error}',
    help: 'Calls to a store that failed, or were skipped because a circuit breaker was open',
    labels: ['operation', 'outcome'],
  },
  'breaker.state': {
    kind: 'gauge',
    unit: '1',
    help: 'Circuit breaker: 0 closed, 1 half-open, 2 open',
    labels: ['use', 'provider'],
    merge: 'max',
  },
  'bus.up': {
    kind: 'gauge',
    unit: '1',
    help: '1 while messages of other nodes are heard, or there is nobody to hear; else 0',
    labels: [],
    merge: 'min',
  },
  'bus.gaps': {
    kind: 'counter',
    unit: '{message}',
    help: 'Gaps in the messages of other nodes, by how they were noticed',
    labels: ['cause'],
  },
  'bus.unrecovered_gaps': {
    kind: 'counter',
    unit: '{message}',
    help: 'Of the gaps, those that the log of the store could not close',
    labels: [],
  },
  'coherence.verified': {
    kind: 'gauge',
    unit: '1',
    help: '1 while entries are verified, or there is nothing to compare them with; else 0',
    labels: [],
    merge: 'min',
  },
  'recovery_queue.length': {
    kind: 'gauge',
    unit: '{entry}',
    help: 'Evictions that wait for the store',
    labels: [],
  },
  degraded: {
    kind: 'gauge',
    unit: '1',
    help: '1 while anything is not as it should be, as in health(); else 0',
    labels: [],
    merge: 'max',
  },
  'lock.wait.duration': {
    kind: 'histogram',
    unit: 's',
    help: 'How long callers waited for a lock, by what came of it',
    labels: ['outcome', 'source'],
  },
  'lock.outcomes': {
    kind: 'counter',
    unit: '{request}',
    help: 'Locks granted, refused, given back and lost',
    labels: ['outcome', 'source'],
  },
  'limit.decisions': {
    kind: 'counter',
    unit: '{request}',
    help: 'Decisions of limiters, and who made them',
    labels: ['limiter', 'allowed', 'source'],
  },
} as const satisfies Readonly<Record<string, Definition>>

export type MetricId = keyof typeof METRICS

export const METRIC_IDS = Object.keys(METRICS) as MetricId[]

export function definitionOf(id: MetricId): Definition {
  return METRICS[id]
}

const UNIT_ENDINGS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

/** The name in Prometheus: base units and `_total` at the end, as its conventions ask for. */
export function prometheusName(id: MetricId, prefix: string): string {
  const { kind, unit } = definitionOf(id)
  const total = kind === 'counter' ? '_total' : ''
  return `${prefix}${id.replaceAll('.', '_')}${UNIT_ENDINGS[unit] ?? ''}${total}`
}

/** Numbers that a method has beside those of its cache are off unless asked for: they may be many. */
export function isOfMethods(id: MetricId): boolean {
  return id.startsWith('method.')
}
