/** One simulated fleet: server, network, nodes and source, on one clock and one schedule. */

import { ManualClock, MemoryServer } from '@larder/core/testing'
import { type Random, randomFrom } from '../support/seed.ts'
import { History } from './history.ts'
import { LabelledStore } from './labelled-store.ts'
import { Ledger } from './ledger.ts'
import { LoadRecord } from './load-record.ts'
import { Network } from './network.ts'
import { NodeClock } from './node-clock.ts'
import type { Plan } from './plan.ts'
import { PutRecord } from './put-record.ts'
import { Scheduler } from './scheduler.ts'
import { NAMESPACE, SimNode } from './sim-node.ts'
import { type Origin, Source } from './source.ts'
import { UpdateRecord } from './update-record.ts'
import { WriteRecord } from './write-record.ts'

export class World {
  readonly plan: Plan
  readonly random: Random
  readonly clock = new ManualClock()
  readonly history: History
  readonly scheduler: Scheduler
  readonly ledger = new Ledger()
  readonly source = new Source()
  readonly writes = new WriteRecord()
  readonly loads: LoadRecord
  readonly puts = new PutRecord()
  readonly updates = new UpdateRecord(this.ledger)
  readonly network: Network
  readonly server: MemoryServer
  readonly nodes: SimNode[] = []
  /** Set when everything is mended and has had its time: then nothing excuses an old value, and no query fails. */
  isAtRest = false
  /** How far the server's clock was set back in all, ms. */
  setBackMs = 0
  /** By key: when the last settle window of an eviction ends, ms, by a clock that is not set back. */
  readonly settlesUntil = new Map<string, number>()
  /** Called when a node dies, so that what it was doing can be given up. */
  onDeath: (node: SimNode) => void = () => undefined
  #violation: string | undefined
  #isReadOnly = false

  constructor(plan: Plan) {
    this.plan = plan
    this.random = randomFrom(plan.seed + 1)
    const now = (): number => this.clock.now()
    this.history = new History(now)
    this.scheduler = new Scheduler(this.random, now)
    const { random, scheduler, history, ledger, source } = this
    this.loads = new LoadRecord(plan, now)
    const onUpdated = (origin: Origin, at: number): void =>
      this.fail(this.updates.carryOut(origin, at))
    const parts = { plan, random, scheduler, history, ledger, source, now, onUpdated }
    this.network = new Network(parts)
    const gathering = randomFrom(plan.seed + 5)
    this.server = new MemoryServer({
      clock: this.clock,
      deliver: this.network.deliver,
      notesHeads: plan.notesHeads,
      gathers: plan.gatherChance === 0 ? undefined : () => gathering.chance(plan.gatherChance),
    })
    // The ledger is to learn what happens when it happens, and not when it is announced.
    const probe = this.server.store({ hearsAtOnce: true })
    probe.open(NAMESPACE)
    probe.bus.subscribe(NAMESPACE, this.network.listener())
    for (let i = 0; i < plan.nodes; i++) this.join()
  }

  /** The first thing that went against the protocol. */
  get violation(): string | undefined {
    return this.#violation
  }

  /** Nodes whose process runs. */
  get awake(): readonly SimNode[] {
    return this.nodes.filter(({ isAlive, index }) => isAlive && !this.scheduler.isPaused(index))
  }

  get alive(): readonly SimNode[] {
    return this.nodes.filter(({ isAlive }) => isAlive)
  }

  /** Reports what must not happen; only the first report counts. */
  fail(violation: string | undefined): void {
    if (violation === undefined || this.#violation !== undefined) return
    this.#violation = violation
    this.history.note('CHECK', violation)
  }

  /** A new node joins the fleet. */
  join(): SimNode {
    const nodeClock = new NodeClock(this.clock, this.scheduler, this.server.nodes.length)
    const store = this.server.store({ clock: nodeClock })
    const node = new SimNode({
      plan: this.plan,
      store,
      remote: new LabelledStore(
        store,
        (label, send) => this.network.announce(label, send),
        (origin) => {
          this.source.origin(origin).isStored = true
        },
      ),
      clock: nodeClock,
      history: this.history,
      onBlamedStore: ({ name }) => {
        if (this.plan.isStoreBlameless) this.fail(`${name} blames the store, which always answers`)
      },
      onBackgroundError: ({ name }, text) => {
        this.history.note(name, `background error: ${text}`)
        // Under faults, a catch-up or a renewal may fail; with nothing wrong, nothing may.
        if (this.plan.isCalm) this.fail(`I5: background error on ${name}: ${text}`)
      },
    })
    this.nodes.push(node)
    this.history.note(node.name, 'joins')
    if (this.#isReadOnly) refuseWrites(node)
    return node
  }

  /** True while the store reads, and refuses to write. */
  get isReadOnly(): boolean {
    return this.#isReadOnly
  }

  set isReadOnly(isReadOnly: boolean) {
    this.#isReadOnly = isReadOnly
    for (const node of this.alive) {
      if (isReadOnly) refuseWrites(node)
      else node.store.faults.heal()
    }
  }

  setClockBack(byMs: number): void {
    this.history.note('fault', `the server's clock is set back by ${byMs} ms`)
    this.setBackMs += byMs
    this.server.shiftTime(-byMs)
  }

  /** Ends a node's process without a word; what it sent arrives or not. */
  crash(node: SimNode, inFlight: 'lost' | 'arrives'): void {
    this.history.note(node.name, `crashes; its requests on the way: ${inFlight}`)
    node.isAlive = false
    this.scheduler.kill(node.index)
    // Silently, because a dead process is not told anything.
    node.store.disconnect({ silently: true, inFlight })
    this.ledger.noteDeath(node.index)
    this.onDeath(node)
  }
}

function refuseWrites({ store }: SimNode): void {
  const on = ['claim', 'renew', 'release', 'fill', 'put', 'swap', 'evict', 'bumpTags'] as const
  store.faults.fail({ on })
}
