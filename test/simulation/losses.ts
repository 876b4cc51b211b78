/** What a server loses by itself: everything, single keys, or the latest changes in a failover. */

import { partitionOf } from '@larder/core/store'
import type { ServerKey, ServerSnapshot } from '@larder/core/testing'
import type { Target } from './ledger.ts'
import { PARTITIONS_USED } from './plan.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** What a server knew when it stopped following its master. */
interface Replica {
  snapshot: ServerSnapshot
  /** The moment that was. */
  since: number
}

/** Which shard of so many something is in. */
type ShardOf = (shards: number) => number

export class Losses {
  readonly #world: World
  readonly #replicas = new Set<Replica>()
  /** What a server that starts again may find on its disk. */
  #saved: Replica | undefined

  constructor(world: World) {
    this.#world = world
  }

  /** Starts the server again: with everything, with what it saved when it last started, or with nothing. */
  startAgain(): void {
    const { random, history } = this.#world
    const found = random.pick(['everything', 'something', 'nothing'] as const)
    const saved = this.#saved
    if (found === 'nothing') this.flush()
    else if (found === 'something' && saved !== undefined) this.#goBackTo(saved, () => true)
    else history.note('fault', 'the server starts again, with everything')
    this.#saved = this.#follow()
  }

  flush(): void {
    const { history, server } = this.#world
    this.#loseTagClock(history.note('fault', 'the store is flushed'))
    server.flush()
  }

  dropKey(): void {
    const { server, random, history } = this.#world
    const keys = server.keys().filter(isInUse)
    if (keys.length === 0) return
    const key = random.pick(keys)
    const at = history.note('fault', `the store loses ${textOf(key)}`)
    if (key.kind === 'tags') this.#loseTagClock(at)
    server.dropKey(key)
  }

  #loseTagClock(at: number): void {
    const { ledger, clock, setBackMs } = this.#world
    ledger.noteTagClockLost(at, clock.now(), setBackMs > 0)
  }

  /** A replica of a shard stops following; `promote` makes it the master. */
  leaveBehind(
    shard: number,
    shards: number,
  ): { readonly text: string; readonly promote: () => void } {
    const replica = this.#follow()
    this.#replicas.add(replica)
    const text = `a replica of shard ${shard} of ${shards} falls behind`
    return { text, promote: () => this.#promote(replica, shard, shards) }
  }

  #follow(): Replica {
    return { snapshot: this.#world.server.snapshot(), since: this.#world.history.moment }
  }

  #promote(replica: Replica, shard: number, shards: number): void {
    const { history, alive } = this.#world
    this.#replicas.delete(replica)
    history.note('fault', `failover of shard ${shard} of ${shards}, back to #${replica.since}`)
    this.#goBackTo(replica, (of) => of(shards) === shard)
    for (const node of alive) this.#notice(node)
  }

  #goBackTo({ snapshot, since }: Replica, isConcerned: (of: ShardOf) => boolean): void {
    const { server, ledger, history } = this.#world
    const at = history.note('fault', `the server goes back to #${since}`)
    server.restore(snapshot, (key) => isConcerned((shards) => shardOf(key, shards)))
    ledger.noteRollback(at, since, (target) => isConcerned((shards) => targetShard(target, shards)))
    // The other replicas start over with the new master: what they alone had is gone with the old one.
    for (const other of this.#replicas) Object.assign(other, this.#follow())
  }

  /** Some clients notice at once that they talk to another server; others only by what it says. */
  #notice(node: SimNode): void {
    if (node.isCut || this.#world.random.chance(0.4)) return
    node.store.disconnect({ inFlight: 'lost' })
    node.store.reconnect()
    this.#world.history.note(node.name, 'reconnects')
  }
}

/** Logs of partitions that no key of the simulation is in are not worth losing. */
function isInUse(key: ServerKey): boolean {
  return key.kind !== 'log' || key.partition < PARTITIONS_USED
}

/** The tag clock is in the first shard. */
function shardOf(key: ServerKey, shards: number): number {
  return 'partition' in key ? key.partition % shards : 0
}

function targetShard(target: Target, shards: number): number {
  return target.startsWith('tag ') ? 0 : partitionOf(target.slice('key '.length)) % shards
}

function textOf(key: ServerKey): string {
  if (key.kind === 'entry') return key.key
  if (key.kind === 'log') return `the log of %${key.partition}`
  return { heads: 'the noted heads', owed: 'what waits', tags: 'the tag clock' }[key.kind]
}
