/**
 * Another store of the same namespace, with a node of its own, on a bus that carries both: two databases of one server,
 * a copy of it, or a staging environment beside production.
 */

import { type CacheManager, createCacheManager } from '@larder/core'
import { type Deliver, MemoryServer } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { simulationCodec } from './codec.ts'
import { NodeClock } from './node-clock.ts'
import { NAMESPACE } from './sim-node.ts'
import type { World } from './world.ts'

/** Beyond the numbers of the nodes that are looked at. */
const FOREIGN = 1_000
/** The other server's clock goes ahead of ours by at most this, or behind it, ms. */
const APART_MS = 5_000

export class ForeignStore {
  readonly #world: World
  readonly #forwarded = new WeakSet<object>()
  readonly #manager: CacheManager

  constructor(world: World) {
    this.#world = world
    const { server, clock, scheduler, plan, random } = world
    const startsAt = server.now() + random.int(2 * APART_MS) - APART_MS - clock.now()
    const other = new MemoryServer({ clock, startsAt, deliver: this.#deliver })
    this.#forward(other, server)
    this.#forward(server, other)
    this.#manager = createCacheManager({
      namespace: NAMESPACE,
      local: lruStore({ maxEntries: 10 }),
      remote: other.store(),
      codec: simulationCodec,
      clock: new NodeClock(clock, scheduler, FOREIGN),
      storeTimeout: plan.storeTimeoutMs,
      logger: false,
      default: false,
    })
  }

  /** Its own node evicts a few keys that we use, too. */
  evictSomething(): void {
    const { plan, random, history } = this.#world
    const { name, keys, policy } = random.pick(plan.caches)
    const key = random.pick(keys)
    history.note('other', `evicts ${name}:${key} in a store of its own`)
    this.#manager
      .cache(name, policy)
      .evict(key)
      .catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#manager.close()
  }

  readonly #deliver: Deliver = (task, { kind }) => {
    const { scheduler, clock, random, plan } = this.#world
    const line = { channel: kind, node: FOREIGN, needsProcess: false }
    scheduler.add(line, { run: task, dueBy: clock.now() + random.int(plan.latencyMs + 1) })
  }

  #forward(from: MemoryServer, to: MemoryServer): void {
    const probe = from.store()
    probe.open(NAMESPACE)
    const nothing = (): void => undefined
    probe.bus.subscribe(NAMESPACE, {
      onMessage: (message) => {
        if (this.#forwarded.has(message)) return
        this.#forwarded.add(message)
        to.publish(NAMESPACE, message)
      },
      onUp: nothing,
      onDoubt: nothing,
      onDown: nothing,
      onGarbage: nothing,
    })
  }
}
