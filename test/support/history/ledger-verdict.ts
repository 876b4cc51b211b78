/**
 * What of the ledgers of several nodes was wrong.
 *
 * Once an eviction is acknowledged, a read on the same node that begins later must not return an older version. On other
 * nodes it may, for a while: counted from the acknowledgement, and from when the store had the eviction, which is later
 * when the evicting node could not reach the store at first.
 */

import type { LedgerEvent } from './node-ledger.ts'

type Span = readonly [from: number, to: number]

/** A node, as the test knows it. */
export interface NodeAccount {
  readonly events: readonly LedgerEvent[]
  /** When the process was stopped, and continued. */
  readonly pauses: readonly Span[]
  readonly isKilled: boolean
}

export interface LedgerVerdict {
  readonly reads: number
  readonly changes: number
  /** Stale reads on the node that had evicted. */
  readonly staleOwn: number
  /** Stale reads on other nodes. */
  readonly staleOther: number
  /** The longest time between an acknowledged eviction and a read of what was before it, ms. */
  readonly oldestMs: number
  /** The same from when the store had the eviction, ms. */
  readonly oldestSinceStoredMs: number
  /** How many lives of an entry changes ended, and the first. */
  readonly livesPerKey: number
  readonly loadsPerKey: number
  readonly errors: number
  readonly hung: number
  /** The slowest call, without the time in which its process was stopped or did not get on, ms. */
  readonly slowestMs: number
}

interface Eviction {
  readonly version: number
  readonly node: number
  readonly at: number
  /** Infinite when the node died before it could tell the store. */
  readonly storedAt: number
}

type EvictionsByKey = ReadonlyMap<string, readonly Eviction[]>

/** Judges all nodes together. */
export function judgeLedgers(nodes: readonly NodeAccount[], keys: number): LedgerVerdict {
  const evictions = evictionsOf(nodes)
  const all = nodes.flatMap(({ events }) => events)
  const ended = all.reduce((sum, event) => sum + (event[0] === 'change' ? event[3] : 0), 0)
  return {
    reads: countOf(all, 'read'),
    changes: countOf(all, 'evicted'),
    ...staleness(nodes, evictions),
    livesPerKey: ended / keys + 1,
    loadsPerKey: countOf(all, 'load') / keys,
    errors: countOf(all, 'failed'),
    hung: countOf(all, 'hung'),
    slowestMs: slowest(nodes),
  }
}

/** What every node did around the first stale read on a node that had evicted, a line an event; nothing if there is none. */
export function storyOfFirstOwn(nodes: readonly NodeAccount[], aroundMs = 600): readonly string[] {
  const evictions = evictionsOf(nodes)
  for (const [node, { events }] of nodes.entries()) {
    for (const event of events) {
      if (event[0] !== 'read') continue
      const [, key, version, startedAt] = event
      const isOwn = (evictions.get(key) ?? []).some(
        (eviction) =>
          eviction.node === node && eviction.version > version && eviction.at < startedAt,
      )
      if (isOwn)
        return [`node ${node}: ${event.join(' ')}`, ...story(nodes, key, startedAt, aroundMs)]
    }
  }
  return []
}

function story(
  nodes: readonly NodeAccount[],
  key: string,
  at: number,
  aroundMs: number,
): readonly string[] {
  return nodes
    .flatMap(({ events }, node) =>
      events.map((event) => ({ node, event, at: Number(event.at(-1)) })),
    )
    .filter(({ event }) => event[1] === key || event[0] === 'queue' || event[0] === 'change')
    .filter((line) => Math.abs(line.at - at) < aroundMs)
    .sort((a, b) => a.at - b.at)
    .map(
      (line) =>
        `${(line.at - at).toFixed(2)} node ${line.node}: ${line.event.slice(0, -1).join(' ')}`,
    )
}

/** The version of each key that every node has to have, once it heard of everything that the store was told. */
export function newestStored(nodes: readonly NodeAccount[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const [key, evictions] of evictionsOf(nodes)) {
    const stored = evictions.filter(({ storedAt }) => storedAt < Number.POSITIVE_INFINITY)
    newest.set(key, Math.max(0, ...stored.map(({ version }) => version)))
  }
  return newest
}

function evictionsOf(nodes: readonly NodeAccount[]): EvictionsByKey {
  const byKey = new Map<string, Eviction[]>()
  for (const [node, { events, isKilled }] of nodes.entries()) {
    let waiting: (Eviction & { readonly key: string })[] = []
    let isWaiting = false
    const settle = (storedAt: number): void => {
      for (const { key, ...eviction } of waiting) addTo(byKey, key, { ...eviction, storedAt })
      waiting = []
    }
    for (const event of events) {
      if (event[0] === 'queue') {
        isWaiting = event[1] > 0
        if (!isWaiting) settle(event[2])
      } else if (event[0] === 'evicted') {
        const [, key, version, at] = event
        waiting.push({ key, version, node, at, storedAt: at })
        if (!isWaiting) settle(at)
      }
    }
    // A node that lives will tell the store: late, but not never.
    settle(isKilled ? Number.POSITIVE_INFINITY : Number.MAX_VALUE)
  }
  return byKey
}

function staleness(
  nodes: readonly NodeAccount[],
  evictions: EvictionsByKey,
): Pick<LedgerVerdict, 'staleOwn' | 'staleOther' | 'oldestMs' | 'oldestSinceStoredMs'> {
  const found = { staleOwn: 0, staleOther: 0, oldestMs: 0, oldestSinceStoredMs: 0 }
  for (const [node, { events }] of nodes.entries()) {
    for (const event of events) {
      if (event[0] !== 'read') continue
      const [, key, version, startedAt] = event
      const newer = (evictions.get(key) ?? []).filter(
        (eviction) => eviction.version > version && eviction.at < startedAt,
      )
      if (newer.length === 0) continue
      if (newer.some((eviction) => eviction.node === node)) found.staleOwn += 1
      else found.staleOther += 1
      const sinceAcked = startedAt - Math.min(...newer.map(({ at }) => at))
      const sinceStored = startedAt - Math.min(...newer.map(({ storedAt }) => storedAt))
      found.oldestMs = Math.max(found.oldestMs, sinceAcked)
      found.oldestSinceStoredMs = Math.max(found.oldestSinceStoredMs, sinceStored)
    }
  }
  return found
}

function slowest(nodes: readonly NodeAccount[]): number {
  let slowestMs = 0
  for (const { events, pauses } of nodes) {
    const stood = events.flatMap(([kind, from, to]): Span[] =>
      kind === 'stood' ? [[Number(from), Number(to)]] : [],
    )
    const still = united([...pauses, ...stood])
    for (const event of events) {
      if (event[0] !== 'took') continue
      const [, from, to] = event
      const lost = still.map(([start, end]) => Math.min(to, end) - Math.max(from, start))
      const tookMs = to - from - lost.reduce((sum, ms) => sum + Math.max(0, ms), 0)
      slowestMs = Math.max(slowestMs, tookMs)
    }
  }
  return slowestMs
}

/** The same time in spans of which none overlap. */
function united(spans: readonly Span[]): readonly Span[] {
  const apart: [from: number, to: number][] = []
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = apart.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else apart.push([from, to])
  }
  return apart
}

function countOf(events: readonly LedgerEvent[], kind: LedgerEvent[0]): number {
  return events.filter((event) => event[0] === kind).length
}

function addTo(byKey: Map<string, Eviction[]>, key: string, eviction: Eviction): void {
  const known = byKey.get(key)
  if (known === undefined) byKey.set(key, [eviction])
  else known.push(eviction)
}
