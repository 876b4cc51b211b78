/**
 * Changes: the application writes the source, then tells the cache, and goes on when that has returned.
 *
 * Writers of one key may overlap, except with a `set`: it writes in any case, so two at once have no right order, and an
 * application that cares uses `@CachePut`, which notices. Here a `set` has its key to itself.
 */

import { keyTarget, type Target, tagTarget } from './ledger.ts'
import { argumentTags, type CachePlan } from './plan.ts'
import { tagsOfKey } from './queries.ts'
import type { NodeCache, SimNode } from './sim-node.ts'
import { type Origin, resultTag, type Value } from './source.ts'
import type { World } from './world.ts'
import type { Write } from './write-record.ts'

export type Eviction =
  | { readonly kind: 'evict'; readonly keys: readonly string[]; readonly soft: boolean }
  | { readonly kind: 'settle'; readonly keys: readonly string[]; readonly settleMs: number }
  | { readonly kind: 'evict-tags'; readonly tags: readonly string[]; readonly soft: boolean }
  | { readonly kind: 'clear' | 'clear-all'; readonly soft: boolean }

export class Writes {
  readonly #world: World
  readonly #writers = new Map<string, { count: number; isExclusive: boolean }>()

  constructor(world: World) {
    this.#world = world
  }

  /** Writes some of the rows concerned (or none), then evicts. */
  async evict(
    node: SimNode,
    at: NodeCache,
    eviction: Eviction,
    rows: readonly string[],
  ): Promise<void> {
    const { plan: cache } = at
    const { history, ledger, random, plan } = this.#world
    const release = this.occupy(rows, false)
    if (release === undefined) return
    await this.turn(node)
    const written = rows.map((key) => this.#write(node, key, random.chance(plan.absentChance)))
    const targets = targetsOf(cache, eviction)
    const calledAt = history.note(node.name, `invalidates ${targets.join(', ')}${how(eviction)}`)
    const noteEnd = this.#world.loads.invalidate((origin) => hitsAny(targets, origin))
    const change = this.#world.puts.begin(targets, calledAt, undefined)
    await this.#run(node, at, eviction)
    const ackedAt = history.note(node.name, `has invalidated ${targets.join(', ')} (#${calledAt})`)
    noteEnd()
    change.endedAt = ackedAt
    const ackedTime = this.#world.clock.now()
    const isSoft = eviction.kind !== 'settle' && eviction.soft
    for (const target of targets) {
      ledger.acknowledge({ node: node.index, target, calledAt, ackedAt, ackedTime, isSoft })
    }
    if (eviction.kind === 'settle') {
      const until = ackedTime + eviction.settleMs
      for (const key of eviction.keys) this.#world.settlesUntil.set(`${cache.name}:${key}`, until)
    }
    for (const write of written) write.isAcknowledged = true
    release()
  }

  /** Writes a row and puts the new value: as `@CachePut` does, or as `set` does. */
  async put(node: SimNode, at: NodeCache, key: string, kind: 'put' | 'set'): Promise<void> {
    const { source, history, ledger } = this.#world
    const fullKey = `${at.plan.name}:${key}`
    const release = this.occupy([fullKey], kind === 'set')
    if (release === undefined) return
    // The method of a `@CachePut` runs once its node knows where it stands.
    const begun = kind === 'put' ? await at.method.begin() : undefined
    const preparedAt = history.note(node.name, `prepares to ${kind} ${fullKey}`)
    await this.turn(node)
    const write = this.#write(node, fullKey, false)
    // A put says what its writer knew before; a set counts as made now.
    const begunAt = kind === 'put' ? preparedAt : history.moment
    const tags = tagsOfKey(at.plan.name, key)
    const origin = source.begin({ key: fullKey, node: node.index, kind, begunAt, tags })
    const value = source.readInto(origin) as Value
    history.note(node.name, `${kind}s ${fullKey} v${value.version} (result ${origin.id})`)
    const target = keyTarget(fullKey)
    const noteEnd = this.#world.loads.invalidate((other) => hitsAny([target], other))
    const change = this.#world.puts.begin([target], preparedAt, origin)
    const call = { mode: 'normal' as const, tags: [...argumentTags(key), resultTag(value.version)] }
    await at.method.put(key, value, call, begun)
    const ackedAt = history.note(node.name, `has ${kind} ${fullKey} (#${preparedAt})`)
    origin.returnedAt = ackedAt
    noteEnd()
    change.endedAt = ackedAt
    ledger.acknowledge({
      node: node.index,
      target,
      calledAt: begunAt,
      ackedAt,
      ackedTime: this.#world.clock.now(),
      isSoft: false,
    })
    write.isAcknowledged = true
    release()
  }

  #write(node: SimNode, key: string, isAbsent: boolean): Write {
    const version = this.#world.source.write(key, isAbsent)
    this.#world.history.note(node.name, `writes ${key} v${version}${isAbsent ? ', absent' : ''}`)
    return this.#world.writes.note(key, version, node)
  }

  async #run(node: SimNode, { method }: NodeCache, eviction: Eviction): Promise<void> {
    const nothing = { keys: [], tags: [], all: false, soft: false, settleMs: 0 }
    switch (eviction.kind) {
      case 'evict':
        return method.evict({ ...nothing, keys: eviction.keys, soft: eviction.soft })
      case 'settle':
        return method.evict({ ...nothing, keys: eviction.keys, settleMs: eviction.settleMs })
      case 'evict-tags':
        return method.evict({ ...nothing, tags: eviction.tags, soft: eviction.soft })
      case 'clear':
        return method.evict({ ...nothing, all: true, soft: eviction.soft })
      case 'clear-all':
        return node.manager.clear({ soft: eviction.soft })
    }
  }

  /** Waits for the node to get round to it. */
  turn(node: SimNode): Promise<void> {
    const { scheduler, clock, history, random } = this.#world
    const channel = `work ${history.moment} ${random.int(1_000_000)}`
    return new Promise((resolve) => {
      scheduler.add(
        { channel, node: node.index, needsProcess: true },
        { dueBy: clock.now() + random.int(20), run: resolve },
      )
    })
  }

  /** Becomes a writer of the keys; `undefined` when another one has to be alone. */
  occupy(keys: readonly string[], isExclusive: boolean): (() => void) | undefined {
    for (const key of keys) {
      const now = this.#writers.get(key)
      if (now !== undefined && now.count > 0 && (isExclusive || now.isExclusive)) return undefined
    }
    for (const key of keys) {
      const count = (this.#writers.get(key)?.count ?? 0) + 1
      this.#writers.set(key, { count, isExclusive })
    }
    return () => {
      for (const key of keys) {
        const now = this.#writers.get(key)
        if (now !== undefined) now.count -= 1
      }
    }
  }
}

function targetsOf(cache: CachePlan, eviction: Eviction): readonly Target[] {
  switch (eviction.kind) {
    case 'evict':
    case 'settle':
      return eviction.keys.map((key) => keyTarget(`${cache.name}:${key}`))
    case 'evict-tags':
      return eviction.tags.map(tagTarget)
    case 'clear':
      return [tagTarget(`@${cache.name}`)]
    case 'clear-all':
      return [tagTarget('*')]
  }
}

export function hitsAny(targets: readonly Target[], { key, tags }: Origin): boolean {
  return targets.includes(keyTarget(key)) || tags.some((tag) => targets.includes(tagTarget(tag)))
}

function how(eviction: Eviction): string {
  if (eviction.kind === 'settle') return ', settling'
  return eviction.soft ? ', softly' : ''
}
