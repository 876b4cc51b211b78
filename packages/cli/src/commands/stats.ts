import type { Fleet } from '@larder/core'
import type { Inspection, NamespaceFacts, SeenFleet } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import { type Pair, pairLines } from '../output/pairs.ts'
import { counted, countOf, instantText, sizeOf } from '../output/units.ts'
import { type CacheCount, countCaches, sumOf } from './caches.ts'
import { assertKnown, type Progress, tellIncomplete } from './looked.ts'
import { fleetCountersOf, loadsText, readsText } from './reported.ts'

export async function runStats(session: Session): Promise<number> {
  const { inspection, namespace, out } = session
  await assertKnown(session)
  const progress: Progress = { lookedAt: 0, isComplete: false }
  const [facts, fleet, keys, memory] = await Promise.all([
    inspection.namespace(namespace),
    inspection.fleet(namespace),
    inspection.keyCount(),
    usedMemory(inspection),
  ])
  const caches = await countCaches(session, progress)
  const sum = (count: (cache: CacheCount) => number): number =>
    caches.reduce((all, cache) => all + count(cache), 0)
  const entries = {
    count: sum((c) => c.entries),
    fresh: sum((c) => c.fresh),
    bytes: caches.reduce<number | null>((all, { bytes }) => sumOf(all, bytes), 0),
  }
  const server = { keys: keys ?? null, usedBytes: memory ?? null }
  const data = {
    namespace,
    caches: caches.length,
    entries: { ...entries, isComplete: progress.isComplete },
    changes: { lastMinute: facts.changes.lastMinute, lastAt: iso(facts.changes.lastAtMs) },
    tags: facts.tags === undefined ? null : tagsOf(facts.tags),
    nodes: nodesOf(fleet),
    // The sum over the nodes that report.
    counters: isReported(fleet) ? fleetCountersOf(fleet.reported.total) : null,
    server,
  }
  await out.one(data, () => lines({ namespace, caches, entries, facts, fleet, server }))
  await tellIncomplete(session, progress)
  return EXIT.done
}

interface Shown {
  readonly namespace: string
  readonly caches: readonly CacheCount[]
  readonly entries: {
    readonly count: number
    readonly fresh: number
    readonly bytes: number | null
  }
  readonly facts: NamespaceFacts
  readonly fleet: SeenFleet
  readonly server: { readonly keys: number | null; readonly usedBytes: number | null }
}

function lines({ namespace, caches, entries, facts, fleet, server }: Shown): readonly string[] {
  const { changes, tags } = facts
  return pairLines([
    ['namespace', namespace],
    ['caches', countOf(caches.length)],
    [
      'entries',
      `${countOf(entries.count)}, ${countOf(entries.fresh)} of them fresh, ${sizeOf(entries.bytes)}`,
    ],
    [
      'changes',
      `${counted(changes.lastMinute, 'key')} evicted or put in the last minute, the last one ${instantText(changes.lastAtMs)}`,
    ],
    [
      'tags',
      tags === undefined
        ? 'no tag clock'
        : `${counted(tags.count, 'tag')} evicted lately; what was stored before ${instantText(tags.floorAtMs)} counts as evicted`,
    ],
    ['nodes', nodesText(fleet)],
    ...readPairs(fleet),
    ['server', serverText(server)],
  ])
}

/** Hits and loads are known to nodes only. */
function readPairs(fleet: SeenFleet): readonly Pair[] {
  if (!isReported(fleet)) return [['hits, loads', 'unknown: no node reports them']]
  const { total } = fleet.reported
  return [
    ['hits', readsText(total)],
    ['loads', loadsText(total)],
    ['in memory', `${counted(total.localEntries, 'entry', 'entries')}, all nodes together`],
  ]
}

function nodesText({ listening, reported }: SeenFleet): string {
  const listen =
    listening === undefined ? 'unknown how many listen' : `${countOf(listening)} listen`
  return reported === undefined ? listen : `${listen}, ${countOf(reported.nodes.length)} report`
}

function nodesOf({ listening, reported }: SeenFleet): object {
  const late = reported?.nodes.filter(({ state }) => state === 'late').length
  return {
    listening: listening ?? null,
    reported: reported?.nodes.length ?? null,
    late: late ?? null,
  }
}

function isReported(fleet: SeenFleet): fleet is SeenFleet & { readonly reported: Fleet } {
  return fleet.reported !== undefined && fleet.reported.nodes.length > 0
}

function serverText({ keys, usedBytes }: Shown['server']): string {
  const count = keys === null ? 'unknown how many keys' : counted(keys, 'key')
  return `${count}, ${sizeOf(usedBytes)} of memory, all applications together`
}

function tagsOf({ count, floorAtMs, lastAtMs }: NonNullable<NamespaceFacts['tags']>): object {
  return { count, floorAt: iso(floorAtMs), lastAt: iso(lastAtMs) }
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

async function usedMemory(inspection: Inspection): Promise<number | undefined> {
  try {
    const infos = await Promise.all(inspection.servers().map((server) => server.info('memory')))
    return infos.reduce((sum, info) => sum + Number(info.get('used_memory') ?? 0), 0)
  } catch {
    return undefined
  }
}
