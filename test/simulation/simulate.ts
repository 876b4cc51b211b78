/**
 * One run: everything that happens to one seed's fleet, to its end.
 *
 * First the application works while the nemesis strikes. Then everything is mended and left alone for as long as the design
 * says it takes. Then every node reads every key, and has to be right. At last everything is closed, and nothing may be left.
 */

import { randomFrom } from '../support/seed.ts'
import { keyTarget } from './ledger.ts'
import { Nemesis } from './nemesis.ts'
import { type Plan, planOf } from './plan.ts'
import type { SimNode } from './sim-node.ts'
import { takeTurns } from './turns.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

export interface Run {
  readonly seed: number
  /** Its theme, or its faults. */
  readonly about: string
  /** What went against the protocol; `undefined` for nothing. */
  readonly violation: string | undefined
  readonly turns: number
  /** The history with numbered lines; the last `atMost` of them. */
  history(atMost?: number): string
}

/** The longest pause of the circuit breaker, ms (docs/design/coherence.md: it probes half-open). */
const BREAKER_MS = 5_000
/** What finding out that a store is back takes beside that: a poll and its round trips, ms. */
const LATE_MS = 3_000
/** After so many losses of history in a row, a node waits before it repeats what it evicted; and for how long at most, ms. */
const LOSSES_AT_ONCE = 3
const FUSE_MS = 30_000
/** By then, whatever an operation had to wait for is over, ms. */
const PATIENCE_MS = 20_000
const MOST_TURNS = 20_000
/** Of a larger fleet everybody hears of each change, so that there is as much more to do. */
const SMALL_FLEET = 4
/** After this long, everything a run could have stored has expired, ms. */
const LONGEST_LIFE_MS = 1_300_000
/** How many runs are looked at for longer; nothing may happen for so long, ms: for some a minute, for most a few syncs. */
const STILL_SHARE = 0.3
const STILL_MS = [8_000, 60_000] as const
const LONG_STILL_SHARE = 0.05
/**
 * What happens meanwhile where another store shares the bus, at most: a few repetitions. In a minute the fuse lets five through, with
 * pauses of 4, 8, 16 and 30 s; each may be one of four nodes, three partitions, three calls, and messages that all of them hear.
 */
const MOST_UNREST_OF_TWO = 300
/** What a background load may take after the read that began it, ms. */
const LOADS_END_MS = 6_000

/** Runs a seed; with a fleet of so many nodes, where that is asked for. */
export function simulate(seed: number, nodes?: number): Promise<Run> {
  const drawn = planOf(seed)
  const plan = nodes === undefined ? drawn : { ...drawn, nodes }
  let world: World | undefined
  // Made in the first turn, because even constructors of the engine draw from what is random.
  const begin = (): Generator<undefined, Run> => {
    world = new World(plan)
    return new Script(world).run()
  }
  const onUncaught = (error: unknown): void => world?.fail(`I5: nobody catches ${String(error)}`)
  return takeTurns(begin, randomFrom(seed + 2).next, onUncaught)
}

class Script {
  readonly #world: World
  readonly #workload: Workload
  readonly #nemesis: Nemesis
  #turns = 0
  /** True while time may leap over timers, so that they run late. */
  #isHasty = true

  constructor(world: World) {
    this.#world = world
    this.#workload = new Workload(world)
    this.#nemesis = new Nemesis(world)
  }

  *run(): Generator<undefined, Run> {
    const world = this.#world
    const mostTurns = MOST_TURNS * Math.max(1, world.plan.nodes / SMALL_FLEET)
    for (const phase of [
      this.#warmUp,
      this.#work,
      this.#rest,
      this.#readAll,
      this.#standStill,
      this.#close,
    ]) {
      for (const turn of phase.call(this)) {
        this.#turns += 1
        if (this.#turns > mostTurns) world.fail('The simulation does not come to an end')
        if (world.violation !== undefined) return this.#outcome
        yield turn
      }
    }
    return this.#outcome
  }

  get #outcome(): Run {
    const { plan, violation, history } = this.#world
    return {
      seed: plan.seed,
      about: plan.theme ?? (plan.faults.join(' ') || 'no faults'),
      violation,
      turns: this.#turns,
      history: (atMost) => `${textOf(plan)}\n${history.text(atMost)}`,
    }
  }

  /** Where nothing goes wrong, everybody is connected before anything is asked of them. */
  *#warmUp(): Generator<undefined, void> {
    const { plan, nodes } = this.#world
    if (!plan.isCalm) return
    for (const node of nodes) this.#peekEverything(node)
    yield* this.#until(() => this.#workload.running === 0 && !this.#world.scheduler.isBusy)
  }

  *#work(): Generator<undefined, void> {
    const { plan, random, history } = this.#world
    while (!this.#workload.isDone) {
      this.#nemesis.mendDue()
      if (random.chance(plan.faultChance)) this.#nemesis.strike()
      else if (random.chance(plan.startChance)) this.#startOne()
      else if (random.chance(plan.timeChance)) this.#letTimePass()
      else if (!this.#runOne()) {
        // Nothing is under way: either the next operation follows at once, or some quiet goes by.
        if (random.chance(plan.quietChance)) this.#letTimePass()
        else this.#startOne()
      }
      yield
    }
    history.note('fault', 'everything is mended')
    this.#nemesis.mendAll()
  }

  /** As long as it takes to sync with the store and catch up; longer only for whoever has to find out that it is back. */
  *#rest(): Generator<undefined, void> {
    const { clock, plan, alive } = this.#world
    this.#isHasty = false
    const backBy = clock.now() + BREAKER_MS + LATE_MS
    yield* this.#until(() => alive.every(({ isWell }) => isWell) || clock.now() >= backBy)
    for (const { name, isWell } of alive) {
      if (!isWell) this.#world.fail(`at rest: ${name} does not find back to the store`)
    }
    // A refresh changes what others hold, and may still be under way.
    yield* this.#finish()
    // What waited for that only reaches the others now.
    const staleness = Math.max(...plan.caches.map(({ maxStalenessMs }) => maxStalenessMs))
    const hasFuseBlown = alive.some(({ lossesSeen }) => lossesSeen > LOSSES_AT_ONCE)
    const restedAt = clock.now() + staleness + plan.latencyMs + (hasFuseBlown ? FUSE_MS : 0)
    yield* this.#until(() => clock.now() >= restedAt)
  }

  /** Every live node reads every key: nothing excuses an old value any more. */
  *#readAll(): Generator<undefined, void> {
    const { alive } = this.#world
    const { reads } = this.#workload
    this.#world.isAtRest = true
    if (this.#world.plan.keepsPuts) this.#findPuts()
    for (const node of alive) {
      for (const cache of node.caches) {
        for (const key of cache.plan.keys) {
          this.#workload.track(node, 'read', reads.one(node, cache, key, 'normal'))
        }
      }
    }
    yield* this.#finish()
  }

  /** What was put last and evicted by nobody is there. */
  #findPuts(): void {
    const { plan, puts, server } = this.#world
    const held = server.keys().flatMap((key) => (key.kind === 'entry' ? [key.key] : []))
    for (const { name, keys } of plan.caches) {
      for (const key of keys.map((each) => `${name}:${each}`)) {
        const put = puts.standing(keyTarget(key))
        if (put === undefined || held.includes(key)) continue
        this.#world.fail(`at rest: ${key} is gone, although result ${put.id} was put last`)
      }
    }
  }

  /** Nobody asks for anything, and nothing is left to be mended: then nodes sync, and do nothing else. */
  *#standStill(): Generator<undefined, void> {
    const { clock, plan, network, random } = this.#world
    if (!random.chance(STILL_SHARE)) return
    const staleness = Math.max(...plan.caches.map(({ maxStalenessMs }) => maxStalenessMs))
    const stillFrom = clock.now() + 3 * staleness + LOADS_END_MS
    yield* this.#until(() => clock.now() >= stillFrom)
    const [short, long] = STILL_MS
    const until = clock.now() + (random.chance(LONG_STILL_SHARE) ? long : short)
    const before = network.unrest?.count ?? 0
    // Two stores on one bus keep each other busy for ever, at the pace of a fuse.
    const ofTwo = MOST_UNREST_OF_TWO * Math.max(1, plan.nodes / SMALL_FLEET)
    const most = before + (this.#nemesis.hasForeignStore ? ofTwo : 0)
    const isRestless = (): boolean => (network.unrest?.count ?? 0) > most
    yield* this.#until(() => clock.now() >= until || isRestless())
    const { unrest } = network
    if (unrest === undefined || !isRestless()) return
    this.#world.fail(`at rest: ${unrest.text}, although nobody asked for anything`)
  }

  /** Lets every operation end; each has to. */
  *#finish(): Generator<undefined, void> {
    const { clock } = this.#world
    const patience = clock.now() + PATIENCE_MS
    yield* this.#until(() => this.#workload.running === 0 || clock.now() > patience)
    if (this.#workload.running === 0) return
    this.#world.fail(`I5: never ends: ${this.#workload.unfinished.join('; ')}`)
  }

  *#close(): Generator<undefined, void> {
    const { alive, server, clock, plan } = this.#world
    this.#world.loads.isClosing = true
    const closers = [this.#nemesis, ...alive.map(({ manager }) => manager)]
    let open = closers.length
    for (const closer of closers) {
      closer.close().finally(() => {
        open -= 1
      })
    }
    // Loads that were under way may still run; what they hold ends with them, within one more deadline.
    yield* this.#until(() => open === 0 && this.#world.scheduler.isEmpty)
    const doneAt = clock.now() + plan.storeTimeoutMs + 1
    yield* this.#until(() => clock.now() >= doneAt && this.#world.scheduler.isEmpty)
    for (const node of alive) {
      if (node.clock.waiting > 0) this.#world.fail(`I7: ${node.name} is closed and has timers left`)
    }
    clock.advance(LONGEST_LIFE_MS + this.#world.setBackMs)
    const left = server.keys().filter(({ kind }) => kind === 'entry')
    if (left.length > 0) this.#world.fail(`I7: ${left.length} entries live for ever`)
  }

  *#until(isOver: () => boolean): Generator<undefined, void> {
    while (!isOver()) {
      this.#nemesis.mendDue()
      if (!this.#runOne()) this.#letTimePass()
      yield
    }
  }

  #startOne(): void {
    if (this.#workload.running < this.#world.plan.concurrency) this.#workload.start()
    else if (!this.#runOne()) this.#letTimePass()
  }

  /** Lets one thing happen that can; false when nothing can. */
  #runOne(): boolean {
    const task = this.#world.scheduler.take()
    if (task?.isCancelled === false) task.run()
    return task !== undefined
  }

  /** Time goes to what comes next, or leaps; but not beyond what has to happen before. */
  #letTimePass(): void {
    const { clock, scheduler, random, plan } = this.#world
    const now = clock.now()
    const stride = now + 1 + random.int(plan.strideMs)
    const next = Math.min(clock.nextAt ?? stride, scheduler.nextStart, this.#nemesis.nextMending)
    const leaps = this.#isHasty && random.chance(0.3)
    const to = Math.min(leaps ? stride : next, scheduler.latest)
    clock.advance(Math.max(0, to - now))
  }

  #peekEverything(node: SimNode): void {
    for (const at of node.caches) {
      this.#workload.track(node, 'peek-many', this.#workload.reads.peekMany(node, at, at.plan.keys))
    }
  }
}

function textOf(plan: Plan): string {
  const { caches, faults, operations, ...rest } = plan
  const lines = caches.map(({ name, policy }) => `cache ${name}: ${JSON.stringify(policy)}`)
  return [
    `seed ${plan.seed}: ${JSON.stringify(rest)}`,
    `faults: ${faults.join(' ') || 'none'}`,
    `operations: ${[...new Set(operations)].join(' ')}`,
    ...lines,
  ].join('\n')
}
