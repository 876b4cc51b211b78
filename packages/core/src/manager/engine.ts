/** Builds what a manager's caches run on, from its options: the node, and the paths of reads, writes and puts over it. */

import { LoadPath } from '../cache/load-path.ts'
import { LocalShelf } from '../cache/local-shelf.ts'
import { LocalTier } from '../cache/local-tier.ts'
import { CacheNode } from '../cache/node.ts'
import { PutPath } from '../cache/put-path.ts'
import { ReadPath } from '../cache/read-path.ts'
import { ReadReports } from '../cache/read-reports.ts'
import { StalenessSampler } from '../cache/staleness-sampler.ts'
import { assertSteps } from '../cache/step-order.ts'
import { UpdatePath } from '../cache/update-path.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import { WritePath } from '../cache/write-path.ts'
import { createSystemClock } from '../clock/system-clock.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Emitter } from '../events/emitter.ts'
import { assertCodec } from '../options/assert-contract.ts'
import { SecondsMeant } from '../options/seconds-meant.ts'
import { RemoteTier } from '../remote/remote-tier.ts'
import { valueCopier } from '../values/copy-value.ts'
import { createTaggedTree, typesByPrototype } from '../values/tagged-tree.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { measureReports } from './measured-hits.ts'

export interface Engine {
  readonly node: CacheNode
  readonly reads: ReadPath
  readonly writes: WritePath
  readonly puts: PutPath
  /** Absent while nothing is measured, or without a store to compare with. */
  readonly sampler: StalenessSampler | undefined
  readonly updates: UpdatePath
}

/** `owner`: the manager, which units of work are told apart by. @throws InvalidOptionError for a codec that is not one */
export function buildEngine(
  options: ResolvedManagerOptions,
  events: Emitter,
  owner: object,
): Engine {
  const node = buildNode(options, events, owner)
  const reports = new ReadReports(node)
  const sampler = samplerFor(node, options)
  if (sampler !== undefined) measureReports(reports, sampler)
  const shelf = new LocalShelf(node)
  const loads = new LoadPath(node, reports, shelf)
  const writes = new WritePath(node)
  const reads = new ReadPath(node, { loads, reports, shelf, writes })
  const updates = new UpdatePath(node, { shelf, reports, writes })
  return { node, reads, writes, puts: new PutPath(node, shelf, writes), updates, sampler }
}

function samplerFor(
  node: CacheNode,
  { measureEvery, remote }: ResolvedManagerOptions,
): StalenessSampler | undefined {
  if (measureEvery === undefined || remote === undefined) return undefined
  const sampler = new StalenessSampler(node, measureEvery)
  node.stats.staleness = sampler.counters
  return sampler
}

function buildNode(options: ResolvedManagerOptions, events: Emitter, owner: object): CacheNode {
  const { namespace, remote, storeTimeoutMs, types, logger } = options
  const clock = options.clock ?? createSystemClock()
  const codec = options.codec?.(types)
  if (codec !== undefined) assertCodec(codec, 'createCacheManager.codec')
  const tree = createTaggedTree(types)
  const steps = options.plugins.flatMap((plugin) => plugin.codecSteps ?? [])
  // Also where nothing is encoded: what is wrong with a shared tier is wrong in development, too.
  assertSteps(steps)
  return new CacheNode({
    namespace,
    clock,
    isOff: !options.isEnabled,
    events,
    local: options.local && new LocalTier(options.local as LocalStore<LocalEntry>),
    remote: remote && new RemoteTier(remote, storeTimeoutMs, clock, events),
    values: codec === undefined ? undefined : new ValuePipeline(codec, steps, namespace),
    owner,
    secondsMeant: options.isDevelopment ? new SecondsMeant(namespace, logger) : undefined,
    copyValue: valueCopier(
      typesByPrototype(types),
      codec && ((value) => codec.decode(codec.encode(value))),
    ),
    checkValue: options.strictValues
      ? (value) => (codec === undefined ? tree.tag(value) : codec.encode(value))
      : undefined,
  })
}
