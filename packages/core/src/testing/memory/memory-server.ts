/**
 * A shared tier in memory: what a Redis with the scripts does, in one process, with time and delivery in a test's hands.
 *
 * Several nodes attach to one server, each by `store()`, with connections of its own. The server can lose things the way
 * real ones do: everything at once, any single key, or the latest changes (a failover to a replica that lagged).
 */

import { createSystemClock } from '../../clock/system-clock.ts'
import type { BusMessage } from '../../contracts/bus.ts'
import type { Clock } from '../../contracts/clock.ts'
import { RemoteFaults } from '../faults/remote-faults.ts'
import { MemoryRemoteStore, type MemoryStoreOptions } from './memory-remote-store.ts'
import { MemorySpace, type SpaceKey } from './memory-space.ts'
import { type Deliver, NodeLink } from './node-link.ts'
import { ANNOUNCED_WITHIN_MS } from './owed-announcer.ts'
import type { Step } from './step.ts'

export interface MemoryServerOptions {
  /** What the server's time follows. @default the system's */
  readonly clock?: Clock | undefined
  /** The server's time at its start, ms since the epoch. @default now; with a clock given, a fixed instant */
  readonly startsAt?: number | undefined
  /**
   * The heads of all partitions are kept once more in one place, which syncs read, as `redisStore` does outside of a Cluster.
   * @default false
   */
  readonly notesHeads?: boolean | undefined
  /**
   * Asked for each change of keys: whether it waits to be announced together with others, as `redisStore` has it under load.
   * @default each is announced at once
   */
  readonly gathers?: (() => boolean) | undefined
  /** When and whether requests, replies and messages arrive. @default soon, in order, as microtasks */
  readonly deliver?: Deliver | undefined
}

/** One thing a server can lose by itself. */
export type ServerKey = SpaceKey & { readonly namespace: string }

/** What a server held at one moment. */
export interface ServerSnapshot {
  readonly spaces: ReadonlyMap<string, MemorySpace>
}

const FIXED_START = Date.UTC(2030, 0, 1)
const deliverSoon: Deliver = (task) => queueMicrotask(task)

/**
 * A shared tier in memory, for tests of code that uses caches and for simulations of the protocol.
 *
 * @example
 * const server = new MemoryServer()
 * const a = createCacheManager({ namespace: 'test', remote: server.store(), default: false })
 * const b = createCacheManager({ namespace: 'test', remote: server.store(), default: false })
 */
export class MemoryServer {
  readonly #clock: Clock
  /** Server time at the clock's zero. */
  #epochOffset: number
  readonly #notesHeads: boolean
  readonly #gathers: (() => boolean) | undefined
  readonly #deliver: Deliver
  readonly #nodes: MemoryRemoteStore[] = []
  readonly #links: NodeLink[] = []
  /** They hear of a change when it is made, however it is announced. */
  readonly #early = new Set<NodeLink>()
  #spaces = new Map<string, MemorySpace>()
  #lastUs = 0

  constructor(options: MemoryServerOptions = {}) {
    const { clock, deliver = deliverSoon, notesHeads = false } = options
    const startsAt = options.startsAt ?? (clock === undefined ? Date.now() : FIXED_START)
    this.#clock = clock ?? createSystemClock()
    this.#epochOffset = startsAt - this.#clock.now()
    this.#deliver = deliver
    this.#notesHeads = notesHeads
    this.#gathers = options.gathers
  }

  /** The server's time, ms since the epoch. */
  now(): number {
    return this.#epochOffset + this.#clock.now()
  }

  /**
   * Sets the server's time forward or, with a negative number, back, as an administrator or a time service does.
   *
   * @example server.shiftTime(-60_000)
   */
  shiftTime(byMs: number): void {
    this.#epochOffset += byMs
    this.#lastUs = Math.min(this.#lastUs, Math.floor(this.now() * 1_000))
  }

  /** Attaches a node and returns its store. */
  store(options?: MemoryStoreOptions): MemoryRemoteStore {
    const link = new NodeLink(this.#nodes.length, this.#deliver)
    const host = {
      clock: this.#clock,
      gathers: this.#gathers !== undefined,
      execute: this.#execute.bind(this),
      publish: this.publish.bind(this),
    }
    const store = new MemoryRemoteStore(host, link, new RemoteFaults(this.#clock), options)
    if (options?.hearsAtOnce === true) this.#early.add(link)
    this.#links.push(link)
    this.#nodes.push(store)
    return store
  }

  /** The stores attached so far, in order. */
  get nodes(): readonly MemoryRemoteStore[] {
    return this.#nodes
  }

  /** Everything the server holds: entries, partition logs, tag clocks. */
  keys(): readonly ServerKey[] {
    return this.#keysOf(this.#spaces)
  }

  /** Sends a message to every node of a namespace that is subscribed at this moment. */
  publish(namespace: string, message: BusMessage): void {
    for (const link of this.#links) link.carry(namespace, message)
  }

  /** Forgets everything, as FLUSHALL does. */
  flush(): void {
    this.#spaces = new Map()
  }

  /**
   * Forgets one thing, as a server short of memory does. Returns false when it was not there.
   *
   * @example server.dropKey({ namespace: 'test', kind: 'log', partition: 7 })
   */
  dropKey(key: ServerKey): boolean {
    return this.#spaces.get(key.namespace)?.drop(key) ?? false
  }

  /** Takes a snapshot of what the server holds now. */
  snapshot(): ServerSnapshot {
    return { spaces: copyOf(this.#spaces) }
  }

  /**
   * Goes back to a snapshot, as a failover to a replica that lagged does; time goes on. Nodes are not told: follow it with
   * `disconnect` and `reconnect` of each where they would notice.
   *
   * @param concerned which keys go back: those of one shard, say. All by default.
   */
  restore(snapshot: ServerSnapshot, concerned: (key: ServerKey) => boolean = () => true): void {
    for (const key of [...this.keys(), ...this.#keysOf(snapshot.spaces)]) {
      if (!concerned(key)) continue
      const before = snapshot.spaces.get(key.namespace) ?? new MemorySpace()
      this.#space(key.namespace).takeFrom(before, key)
    }
  }

  #execute<Result>(namespace: string, run: (step: Step) => Result): Result {
    // No two steps happen at the same instant, as on a real server: numbers minted from the time would repeat otherwise
    // when something is lost and begun anew while a manual clock stands still.
    this.#lastUs = Math.max(this.#lastUs + 1, Math.floor(this.now() * 1_000))
    const space = this.#space(namespace)
    const sent: { readonly message: BusMessage; readonly to: readonly NodeLink[] }[] = []
    const sendOwed = (): void => {
      const late = this.#links.filter((link) => !this.#early.has(link))
      for (const message of space.takeOwed()) sent.push({ message, to: late })
    }
    const result = run({
      space,
      nowUs: this.#lastUs,
      publish: (message) => sent.push({ message, to: this.#links }),
      sendOwed,
      announce: (message, isUrgent) => {
        if (isUrgent || this.#gathers?.() !== true) {
          sendOwed()
          sent.push({ message, to: this.#links })
          return undefined
        }
        space.owe(message)
        sent.push({ message, to: [...this.#early] })
        return ANNOUNCED_WITHIN_MS
      },
    })
    for (const { message, to } of sent) for (const link of to) link.carry(namespace, message)
    return result
  }

  #space(namespace: string): MemorySpace {
    const space = this.#spaces.get(namespace) ?? new MemorySpace(this.#notesHeads)
    this.#spaces.set(namespace, space)
    return space
  }

  #keysOf(spaces: ReadonlyMap<string, MemorySpace>): readonly ServerKey[] {
    return [...spaces].flatMap(([namespace, space]) =>
      space.contents(this.now()).map((key) => ({ ...key, namespace })),
    )
  }
}

function copyOf(spaces: ReadonlyMap<string, MemorySpace>): Map<string, MemorySpace> {
  return new Map([...spaces].map(([namespace, space]) => [namespace, space.copy()]))
}
