/** Chooses what the application does next, and keeps count of what it is doing. */

import type { CachePlan, OperationKind } from './plan.ts'
import { argumentTags } from './plan.ts'
import { Reads } from './reads.ts'
import type { NodeCache, SimNode } from './sim-node.ts'
import { Updates } from './updates.ts'
import type { World } from './world.ts'
import { type Eviction, Writes } from './writes.ts'

interface Running {
  readonly node: SimNode
  readonly kind: OperationKind
  readonly startedAt: number
}

const SETTLE_MS = 300

export class Workload {
  readonly reads: Reads
  readonly writes: Writes
  readonly #updates: Updates
  readonly #world: World
  readonly #running = new Set<Running>()
  #startedCount = 0

  constructor(world: World) {
    this.#world = world
    this.reads = new Reads(world)
    this.writes = new Writes(world)
    this.#updates = new Updates(world, this.writes)
    world.onDeath = (node) => this.#giveUp(node)
  }

  get running(): number {
    return this.#running.size
  }

  get isDone(): boolean {
    return this.#startedCount >= this.#world.plan.operationCount
  }

  /** What still runs, in words. */
  get unfinished(): readonly string[] {
    return [...this.#running].map(
      ({ node, kind, startedAt }) => `${kind} on ${node.name} since #${startedAt}`,
    )
  }

  /** Starts the next operation on some node whose process runs. */
  start(): void {
    const { world, random } = { world: this.#world, random: this.#world.random }
    if (world.awake.length === 0) return
    this.#startedCount += 1
    const node = random.pick(world.awake)
    const at = random.pick(node.caches)
    const kind = random.pick(world.plan.operations)
    this.track(node, kind, this.#perform(node, at, kind))
  }

  /** Keeps an operation until it ends. A rejection is a violation: neither a read nor a change may fail because of us. */
  track(node: SimNode, kind: OperationKind, operation: Promise<void>): void {
    const running = { node, kind, startedAt: this.#world.history.moment }
    this.#running.add(running)
    operation
      .catch((error: unknown) => this.#world.fail(`I5: ${kind} on ${node.name}: ${String(error)}`))
      .finally(() => this.#running.delete(running))
  }

  #perform(node: SimNode, at: NodeCache, kind: OperationKind): Promise<void> {
    const { random } = this.#world
    const key = random.pick(at.plan.keys)
    switch (kind) {
      case 'read':
        return this.reads.one(node, at, key, 'normal')
      case 'refresh':
        return this.reads.one(node, at, key, 'refresh')
      case 'peek-many':
        return this.reads.peekMany(node, at, this.#some(at.plan.keys))
      case 'read-each':
        return this.reads.each(node, at, this.#some(at.plan.keys))
      case 'put':
      case 'set':
        // What does not travel to the store cannot be put there; see the cache's own evictions.
        if (kind === 'put' || at.plan.usesRemote) return this.writes.put(node, at, key, kind)
        return this.#evict(node, at, { kind: 'evict', keys: [key], soft: false })
      case 'update':
        if (at.plan.usesRemote) return this.#updates.update(node, at, key)
        return this.#evict(node, at, { kind: 'evict', keys: [key], soft: false })
      default:
        return this.#evict(node, at, this.#evictionOf(at.plan, kind))
    }
  }

  #evictionOf({ keys, name }: CachePlan, kind: OperationKind): Eviction {
    const { random } = this.#world
    const key = random.pick(keys)
    switch (kind) {
      case 'evict-many':
        return { kind: 'evict', keys: this.#some(keys), soft: false }
      case 'soft-evict':
        return { kind: 'evict', keys: [key], soft: true }
      case 'settle-evict':
        return { kind: 'settle', keys: [key], settleMs: random.int(SETTLE_MS) + 1 }
      case 'evict-tags':
      case 'soft-evict-tags': {
        const tags = [random.pick([...argumentTags(key), 'even', 'odd'])]
        return { kind: 'evict-tags', tags, soft: kind === 'soft-evict-tags' }
      }
      case 'clear':
      case 'soft-clear': {
        const isOfAll = name === 'a' && random.chance(0.3)
        return { kind: isOfAll ? 'clear-all' : 'clear', soft: kind === 'soft-clear' }
      }
      default:
        return { kind: 'evict', keys: [key], soft: false }
    }
  }

  /** Most evictions follow a write; some just happen. */
  #evict(node: SimNode, at: NodeCache, eviction: Eviction): Promise<void> {
    const rows = this.#world.random.chance(0.8) ? this.#rowsBehind(at.plan, eviction) : []
    return this.writes.evict(node, at, eviction, rows)
  }

  /** Rows that the eviction makes known to have changed: all entries of them are hit by it. */
  #rowsBehind({ name, keys }: CachePlan, eviction: Eviction): readonly string[] {
    const fullKey = (key: string): string => `${name}:${key}`
    switch (eviction.kind) {
      case 'evict':
      case 'settle':
        return eviction.keys.map(fullKey)
      case 'evict-tags':
        return keys
          .filter((key) => argumentTags(key).some((tag) => eviction.tags.includes(tag)))
          .map(fullKey)
      default:
        return keys.map(fullKey)
    }
  }

  #some(keys: readonly string[]): readonly string[] {
    const { random } = this.#world
    return random.shuffle(keys).slice(0, 1 + random.int(keys.length))
  }

  /** What a dead node was doing never ends. */
  #giveUp(dead: SimNode): void {
    for (const running of this.#running) {
      if (running.node === dead) this.#running.delete(running)
    }
  }
}
