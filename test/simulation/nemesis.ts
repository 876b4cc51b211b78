/**
 * Breaks things, and mends them again.
 *
 * Every fault is one that docs/design/coherence.md describes. What a fault makes of the promises is written where the promise is checked
 * (ledger.ts); here it is only told to the ledger where it cannot see for itself: what a server lost, and a node that dies
 * with what only it knew.
 */

import { garble, type RemoteOperation, truncate } from '@larder/core/testing'
import { ForeignStore } from './foreign-store.ts'
import { Losses } from './losses.ts'
import { Machines } from './machines.ts'
import { messagesOf, repliesOf, requestsOf } from './network.ts'
import type { FaultKind } from './plan.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** How long a fault lasts at most, ms. */
const LASTS_MS = 4_000
/** How long what an ended connection had sent may be on its way, ms. */
const LATE_MS = 3_000
/** How far a server's clock is set back at most, ms. */
const MOST_BACK_MS = 600_000
/** What a snapshot from long ago is older than, ms: longer than a node repeats what it evicted. */
const LONG_AGO_MS = 61_000
/** No more nodes join beyond this many. */
const MOST_NODES = 6
const OPERATIONS: readonly RemoteOperation[] = [
  'read',
  'readHeaders',
  'claim',
  'renew',
  'release',
  'fill',
  'put',
  'evict',
  'sync',
  'changesSince',
  'bumpTags',
  'tagsSince',
]

interface Fault {
  readonly until: number
  readonly text: string
  mend(): void
}

export class Nemesis {
  readonly #world: World
  readonly #losses: Losses
  readonly #machines: Machines
  #standing: Fault[] = []
  #foreign: ForeignStore | undefined

  readonly #ways: Readonly<Record<FaultKind, (node: SimNode) => void>> = {
    'lose-messages': (node) => {
      this.#disturbMessages(node, { loseChance: this.#world.random.pick([0.3, 1]) })
    },
    'duplicate-messages': (node) => this.#disturbMessages(node, { duplicateChance: 0.5 }),
    'reorder-messages': (node) => this.#reorder(node),
    'delay-messages': (node) => this.#delay(node),
    disconnect: (node) => this.#disconnect(node),
    hang: (node) => this.#hang(node),
    refuse: (node) => this.#spoil(node, 'refuse'),
    'lose-replies': (node) => this.#spoil(node, 'lose-replies'),
    corrupt: (node) => this.#spoil(node, 'corrupt'),
    pause: (node) => this.#machines.pause(node),
    crash: (node) => this.#crash(node),
    join: () => this.#join(),
    flush: () => this.#losses.flush(),
    'drop-key': () => this.#losses.dropKey(),
    failover: () => this.#failOver(),
    'far-back': () => this.#goFarBack(),
    restart: () => this.#restart(),
    'read-only': () => this.#refuseWrites(),
    'late-writes': (node) => this.#delayWrites(node),
    'lose-lease-replies': (node) => this.#loseLeaseReply(node),
    'refuse-tags': (node) => this.#refuseTags(node),
    'stand-still': (node) => this.#machines.standStill(node),
    'clock-back': () => this.#world.setClockBack(this.#world.random.int(MOST_BACK_MS)),
    sleep: (node) => this.#machines.sleep(node),
    'foreign-messages': () => this.#mixMessages(),
  }

  constructor(world: World) {
    this.#world = world
    this.#losses = new Losses(world)
    this.#machines = new Machines(world, (fault) =>
      this.#stands(fault.text, fault.mend, fault.forMs),
    )
  }

  /** Breaks one thing, if there is one to break. */
  strike(): void {
    const { random, plan, alive } = this.#world
    if (plan.faults.length === 0 || alive.length === 0) return
    const kind = random.pick(plan.faults)
    this.#ways[kind](random.pick(alive))
  }

  /** Mends what has lasted long enough. */
  mendDue(): void {
    const now = this.#world.clock.now()
    if (this.#standing.some(({ until }) => until <= now)) this.#mend(({ until }) => until <= now)
  }

  /** Mends everything. */
  mendAll(): void {
    // What ends in a second stage begins that when it is mended.
    while (this.#standing.length > 0) this.#mend(() => true)
  }

  /** True once another store shares the bus. */
  get hasForeignStore(): boolean {
    return this.#foreign !== undefined
  }

  /** Ends what it started itself. */
  async close(): Promise<void> {
    await this.#foreign?.close()
  }

  /** When the next fault is over; `Infinity` for none. */
  get nextMending(): number {
    return Math.min(...this.#standing.map(({ until }) => until), Number.POSITIVE_INFINITY)
  }

  #mend(isOver: (fault: Fault) => boolean): void {
    const over = this.#standing.filter(isOver)
    this.#standing = this.#standing.filter((fault) => !over.includes(fault))
    for (const fault of over) {
      this.#world.history.note('fault', `over: ${fault.text}`)
      fault.mend()
    }
  }

  #stands(text: string, mend: () => void, forMs = this.#world.random.int(LASTS_MS)): void {
    const { history, clock } = this.#world
    history.note('fault', text)
    this.#standing.push({ until: clock.now() + forMs, text, mend })
  }

  #disturbMessages(
    { index, name }: SimNode,
    faults: { readonly loseChance?: number; readonly duplicateChance?: number },
  ): void {
    const { network } = this.#world
    const { loseChance = 0, duplicateChance = 0 } = faults
    network.setMessageFaults(index, { loseChance, duplicateChance })
    const text = `lost ${loseChance}, twice ${duplicateChance}`
    this.#stands(`messages to ${name}: ${text}`, () => network.setMessageFaults(index, undefined))
  }

  #reorder({ index, name }: SimNode): void {
    const { scheduler } = this.#world
    scheduler.shuffle(messagesOf(index), true)
    this.#stands(`messages to ${name} overtake each other`, () => {
      scheduler.shuffle(messagesOf(index), false)
    })
  }

  #delay({ index, name }: SimNode): void {
    const { scheduler } = this.#world
    scheduler.freeze(messagesOf(index))
    this.#stands(`messages to ${name} are held back`, () => scheduler.thaw(messagesOf(index)))
  }

  #disconnect(node: SimNode): void {
    const { random, scheduler } = this.#world
    if (node.isCut) return
    const only = random.pick([undefined, undefined, 'commands', 'messages'] as const)
    const silently = random.chance(0.4)
    const inFlight = random.pick(['lost', 'arrives'] as const)
    node.isCut = true
    // What is on its way when the connection ends belongs to that connection, and races with the next one.
    if (only !== 'messages') scheduler.detach(requestsOf(node.index), random.pick([0, 0, LATE_MS]))
    node.store.disconnect({ only, silently, inFlight })
    const how = silently ? ', silently' : ''
    const what = `${only ?? 'both lines'}${how}, requests on the way: ${inFlight}`
    this.#stands(`${node.name} is disconnected: ${what}`, () => {
      node.isCut = false
      if (node.isAlive) node.store.reconnect()
    })
  }

  #hang({ index, name }: SimNode): void {
    const { scheduler } = this.#world
    const lines = [requestsOf(index), repliesOf(index), messagesOf(index)]
    for (const line of lines) scheduler.freeze(line)
    this.#stands(`the network of ${name} hangs`, () => {
      for (const line of lines) scheduler.thaw(line)
    })
  }

  #spoil(node: SimNode, kind: 'refuse' | 'lose-replies' | 'corrupt'): void {
    const { random } = this.#world
    const { faults } = node.store
    const drawn = random.chance(0.3) ? OPERATIONS : OPERATIONS.filter(() => random.chance(0.3))
    // As puts are, so that what known seeds draw stays what it is.
    const on = drawn.includes('put') ? [...drawn, 'swap' as const] : drawn
    if (kind === 'refuse') faults.fail({ on })
    else if (kind === 'lose-replies') faults.loseReply({ on })
    else faults.corrupt(random.pick([truncate, garble]), { on })
    this.#stands(`the store of ${node.name}: ${kind} ${on.join(' ')}`, () => faults.heal())
  }

  #crash(node: SimNode): void {
    const { alive, random } = this.#world
    if (alive.length < 2) return
    this.#world.crash(node, random.pick(['lost', 'arrives'] as const))
    if (random.chance(0.7)) this.#world.join()
  }

  #join(): void {
    const { alive, plan } = this.#world
    if (alive.length < Math.max(MOST_NODES, plan.nodes)) this.#world.join()
  }

  #failOver(): void {
    const { random, plan } = this.#world
    // What is in one place is not divided.
    const shards = plan.notesHeads ? 1 : random.pick([1, 2, 3])
    const { text, promote } = this.#losses.leaveBehind(random.int(shards), shards)
    this.#stands(text, promote)
  }

  /** Something is evicted; long after that, when nodes no longer repeat it by themselves, the server forgets it. */
  #goFarBack(): void {
    const { random, clock } = this.#world
    const { promote } = this.#losses.leaveBehind(0, 1)
    this.#stands('the server saves what it holds', () => {
      const agoMs = LONG_AGO_MS + random.int(LONG_AGO_MS)
      clock.advance(agoMs)
      this.#stands(`${agoMs} ms pass`, promote)
    })
  }

  #restart(): void {
    const { alive } = this.#world
    const cut = alive.filter(({ isCut }) => !isCut)
    for (const node of cut) {
      node.isCut = true
      node.store.disconnect({ inFlight: 'lost' })
    }
    this.#stands('the server is away', () => {
      this.#losses.startAgain()
      for (const node of cut) {
        node.isCut = false
        if (node.isAlive) node.store.reconnect()
      }
    })
  }

  #refuseWrites(): void {
    const world = this.#world
    if (world.isReadOnly) return
    world.isReadOnly = true
    this.#stands('the store refuses writes', () => {
      world.isReadOnly = false
    })
  }

  #delayWrites({ index, name }: SimNode): void {
    const { network } = this.#world
    network.setLateWrites(index, true)
    this.#stands(`writes of ${name} travel for long`, () => network.setLateWrites(index, false))
  }

  #loseLeaseReply({ store, name }: SimNode): void {
    const on = this.#world.random.pick(['claim', 'fill', 'release'] as const)
    const isDone = this.#world.random.chance(0.7)
    if (isDone) store.faults.loseReply({ on, times: 1 })
    else store.faults.fail({ on, times: 1 })
    const what = isDone ? 'loses its reply' : 'is refused'
    this.#stands(`the next ${on} of ${name} ${what}`, () => store.faults.heal())
  }

  #refuseTags({ store, name }: SimNode): void {
    store.faults.fail({ on: 'bumpTags', times: 1 + this.#world.random.int(8) })
    this.#stands(`tag invalidations of ${name} are refused`, () => store.faults.heal())
  }

  /** That is how things are, not something that gets mended. */
  #mixMessages(): void {
    if (this.#foreign === undefined) {
      this.#world.history.note('fault', 'from now on another store shares the bus')
      this.#foreign = new ForeignStore(this.#world)
    }
    this.#foreign.evictSomething()
  }
}
