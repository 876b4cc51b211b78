/**
 * Reads under way: one flight per key, which every caller of that key shares; how a flight goes on and how it ends.
 *
 * An invalidation *kills and detaches* a flight: callers that already wait still get its value, it is not kept locally, and
 * later callers start anew. Otherwise a load that began before an eviction would bring the old value back after it.
 */

import type { EntryAddress } from '../contracts/remote-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { MissReason } from '../events/events.ts'
import type { OpenTrace } from '../events/open-trace.ts'
import type { ReadTrace, TracedFlight } from '../events/traces.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { type KeptContext, keepContext } from '../lifecycle/call-context.ts'
import { PassingMap } from '../lifecycle/passing.ts'
import type { Joiners } from './joiners.ts'
import type { ReadCall, WaitingCaller } from './read-call.ts'
import type { RefreshAsk } from './refresh-ask.ts'
import type { Standing, Witness } from './witness.ts'

// One executor for all flights: a closure per flight would be most of its cost.
let resolveTaken: (value: unknown) => void
let rejectTaken: (error: unknown) => void
function takeSettlers(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  resolveTaken = resolve
  rejectTaken = reject
}

/** A load that can be told that no caller waits for it any more. */
export interface RunningLoad {
  forsaken(reason: unknown): void
}

/** One read, and possibly load, of one key. */
export class Flight implements Witness {
  readonly call: ReadCall
  /** The async context of the caller that began the flight: its loader and the user's other functions run in it. */
  readonly context: KeptContext = keepContext()
  /** What was known before anything of its answer was read or loaded. */
  stamp: Stamp
  /** When the stamp was taken, monotonic ms. */
  at: number
  readonly promise: Promise<unknown>
  /** The entry by which the flight's value is judged, once there is one. */
  entry: LocalEntry | undefined
  /** The old value that it answered with before its load was over. */
  served: Standing | undefined
  /** A local entry that may be served if loads fail, or once its commit id is confirmed. */
  candidate: LocalEntry | undefined
  /** False once an invalidation of the key detached the flight: its result must not be kept locally. */
  isAlive = true
  /** A wake-up for the key has come since the lease was last asked for. */
  wasWoken = false
  /** The highest sequence number of a change that touched the key since the stamp. */
  touchedAt = 0
  /** The most that is known of why nothing could be served so far. */
  missed: MissReason = 'absent'
  isMarked = false
  isSettled = false
  /** Its result is for the caller that began it alone: nobody joins it. */
  isUnshared = false
  /** For how long loads of its key are not shared because of its result, ms. */
  unsharedForMs = 0
  /** Load even if a fresh entry is found. */
  isForced = false
  /** The request, if the flight is a refresh. */
  ask: RefreshAsk | undefined
  /** It took the place of a refresh, whose result is not kept: if its own is not kept either, what there was before is evicted. */
  standsForRefresh = false
  /** Its loader runs. */
  load: RunningLoad | undefined
  /** The reason of the last caller that left. */
  leftFor: unknown
  #isAwaited = false
  #callers = 0
  /** Nothing of it runs any more, also not in the store. */
  isOver = false
  #whenOver: (() => void)[] | undefined
  /** Flights that its load has been waiting for, if any; those that are settled do not count any more. */
  waitsFor: Set<Flight> | undefined
  /** Other callers of this process who wait for it. */
  joiners: Joiners | undefined
  /** For subscribers of tracing channels: its read of the store, and what stands for it in messages. */
  trace: OpenTrace<ReadTrace> | undefined
  mark: TracedFlight | undefined
  /** The load that its joiners began because it took too long. */
  standIn: Flight | undefined
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(call: ReadCall, stamp: Stamp, at: number, candidate?: LocalEntry) {
    this.call = call
    this.stamp = stamp
    this.at = at
    this.candidate = candidate
    this.promise = new Promise(takeSettlers)
    this.#resolve = resolveTaken
    this.#reject = rejectTaken
  }

  get address(): EntryAddress {
    return this.call.address
  }

  /** Gives a value to all waiting callers; the first outcome counts. */
  resolve(value: unknown): void {
    this.#settle()
    this.#resolve(value)
    this.joiners?.resolve(value)
  }

  /** Answers with an old value before its load is over. Who joins later gets it too, and judges it by what it stands on. */
  serveOld(entry: LocalEntry): void {
    this.served = { stamp: this.stamp, at: this.at, entry }
    this.entry = entry
    this.resolve(entry.value)
  }

  reject(error: unknown): void {
    this.trace?.fail(error)
    this.#settle()
    // The first caller may have been served already, and a refresh has no caller at all.
    this.promise.catch(() => undefined)
    this.#reject(error)
    this.joiners?.reject(error)
  }

  /** A caller waits for it from now on; `undefined` for a caller that does not stop before there is an answer. */
  joinedBy(caller: WaitingCaller | undefined): void {
    if (caller === undefined) {
      this.#isAwaited = true
      return
    }
    this.#callers += 1
    caller.joined(this)
  }

  /** One of the callers does not want an answer any more. */
  leave(reason: unknown): void {
    this.#callers -= 1
    this.leftFor = reason
    if (this.isForsaken) this.load?.forsaken(reason)
  }

  /** One of the callers stops waiting, and wants the load to continue. */
  stay(): void {
    this.#isAwaited = true
  }

  /** All callers that waited for an answer have left. */
  get isForsaken(): boolean {
    return !this.#isAwaited && this.#callers === 0 && !this.isSettled
  }

  /** Runs a task when the flight is over, at once if it is. */
  whenOver(task: () => void): void {
    if (this.isOver) task()
    else if (this.#whenOver === undefined) this.#whenOver = [task]
    else this.#whenOver.push(task)
  }

  /** Nothing of it goes on from here; for `Flights`. */
  over(): void {
    if (this.isOver) return
    this.isOver = true
    this.trace?.end()
    for (const task of this.#whenOver ?? []) task()
  }

  /** Where both the flight and its stand-in end, the flight's result is kept. */
  #settle(): void {
    this.isSettled = true
    if (this.standIn !== undefined) this.standIn.isAlive = false
  }
}

/** The flights of a node by full key. */
export class Flights {
  readonly #flights = new PassingMap<string, Flight>()
  readonly #watched = new Map<string, Set<Witness>>()

  get(key: string): Flight | undefined {
    return this.#flights.get(key)
  }

  get size(): number {
    return this.#flights.size
  }

  /** Makes a flight the one to join. The flight that it displaces could not be killed any more, so its result is not kept. */
  add(flight: Flight): void {
    const { key } = flight.address
    const displaced = this.#flights.get(key)
    if (displaced !== undefined && displaced !== flight) {
      this.detach(displaced)
      flight.standsForRefresh ||= displaced.standsForRefresh || displaced.ask !== undefined
    }
    this.#flights.set(key, flight)
  }

  /** Makes a flight the one to join unless there is one. */
  offer(flight: Flight): void {
    const { key } = flight.address
    if (flight.isAlive && this.#flights.get(key) === undefined) this.#flights.set(key, flight)
  }

  /** The flight has come to its end. */
  end(flight: Flight): void {
    this.remove(flight)
    flight.over()
  }

  /** Makes a flight unjoinable; a newer flight of the key is left alone. */
  remove(flight: Flight): void {
    const { key } = flight.address
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }

  /** Lets a flight that cannot be joined (a look, a refresh, a stand-in) be killed too. */
  watch(witness: Witness): void {
    const { key } = witness.address
    const watched = this.#watched.get(key) ?? new Set()
    this.#watched.set(key, watched)
    watched.add(witness)
  }

  unwatch(witness: Witness): void {
    const { key } = witness.address
    const watched = this.#watched.get(key)
    watched?.delete(witness)
    if (watched?.size === 0) this.#watched.delete(key)
  }

  /**
   * Another node's lease on the key has ended. The message may overtake the reply to a claim that was refused because of it, which
   * travels on another connection: then the flight need not wait.
   */
  wake(key: string): void {
    const flight = this.#flights.get(key)
    if (flight !== undefined) flight.wasWoken = true
    if (this.#watched.size === 0) return
    for (const watched of this.#watched.get(key) ?? []) {
      if (watched instanceof Flight) watched.wasWoken = true
    }
  }

  /** Makes a flight unjoinable and its result unfit for the local tier. */
  detach(flight: Flight): void {
    flight.isAlive = false
    // The lease it may be refused because of ended with the same change, and the message about that will not find it.
    flight.wasWoken = true
    this.remove(flight)
  }

  /** Kills what reads a key beside a refresh. Other refreshes of it are left alone: they end each other. */
  killReaders(key: string): void {
    const flight = this.#flights.get(key)
    if (flight !== undefined && !isRefresh(flight)) this.detach(flight)
    for (const watched of this.#watched.get(key) ?? []) {
      if (!isRefresh(watched)) watched.isAlive = false
    }
  }

  /** Kills the flights of a key, except those that already include the change numbered `seq`. */
  kill(key: string, seq: number): void {
    const flight = this.#flights.get(key)
    if (flight !== undefined && flight.stamp.seq < seq) this.detach(flight)
    if (this.#watched.size === 0) return
    for (const watched of this.#watched.get(key) ?? []) {
      if (watched.stamp.seq < seq) watched.isAlive = false
      watched.touchedAt = Math.max(watched.touchedAt, seq)
    }
  }
}

function isRefresh(witness: Witness): boolean {
  return witness instanceof Flight && witness.ask !== undefined
}

/** Lets a step of a flight run on its own. A defect in it must reach the callers rather than leave them hanging. */
export function goOn(
  { flights, work }: { readonly flights: Flights; readonly work: BackgroundWork },
  flight: Flight,
  step: Promise<void>,
): void {
  const guarded = step.catch((error: unknown) => {
    flights.end(flight)
    flight.call.onDecided?.()
    flight.reject(error)
  })
  work.run('read', guarded)
}

/** Hands out what an entry remembers. */
export function settleWith(flight: Flight, entry: LocalEntry): void {
  flight.entry = entry
  if (entry.kind === 'error') flight.reject(entry.value)
  else flight.resolve(entry.value)
}
