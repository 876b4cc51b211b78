/** A bus that can be made to lose, repeat, delay, reorder and garble what it delivers. */

import { createSystemClock } from '../../clock/system-clock.ts'
import type { Bus, BusListener, BusMessage } from '../../contracts/bus.ts'
import type { Clock } from '../../contracts/clock.ts'
import { FaultRules, type FaultScope } from './fault-rules.ts'

/** Which kinds of messages a fault hits, and how many. */
export type BusFaultScope = FaultScope<BusMessage['kind']>

type Fault =
  | { readonly kind: 'drop' | 'duplicate' | 'garble' | 'hold' }
  | { readonly kind: 'delay'; readonly ms: number }

/** In which order held messages are delivered after all. */
export type ReleaseOrder =
  | 'as-sent'
  | 'reversed'
  | ((held: readonly BusMessage[]) => readonly BusMessage[])

/** Faults of one node's end of the bus. `heal` ends them all. */
export class BusFaults {
  readonly #rules = new FaultRules<BusMessage['kind'], Fault>()
  readonly #clock: Clock
  #held: BusMessage[] = []
  #listener: BusListener | undefined
  #isCut = false

  /** `clock`: what delays are measured by. @default the system's */
  constructor(clock: Clock = createSystemClock()) {
    this.#clock = clock
  }

  /** Messages are lost silently. */
  drop(scope?: BusFaultScope): void {
    this.#rules.add({ kind: 'drop' }, scope)
  }

  /** Messages arrive twice. */
  duplicate(scope?: BusFaultScope): void {
    this.#rules.add({ kind: 'duplicate' }, scope)
  }

  /** Something arrives that is not a message. */
  garble(scope?: BusFaultScope): void {
    this.#rules.add({ kind: 'garble' }, scope)
  }

  /** Messages arrive this much later. */
  delay(ms: number, scope?: BusFaultScope): void {
    this.#rules.add({ kind: 'delay', ms }, scope)
  }

  /** Messages are kept back until `release`. */
  hold(scope?: BusFaultScope): void {
    this.#rules.add({ kind: 'hold' }, scope)
  }

  /** Delivers what was kept back. @default 'as-sent' */
  release(order: ReleaseOrder = 'as-sent'): void {
    const held = this.#held
    this.#held = []
    const ordered =
      typeof order === 'function' ? order(held) : order === 'as-sent' ? held : held.reverse()
    for (const message of ordered) this.#hand(message)
  }

  /** The subscription is lost, and the engine is told; messages are lost until `restore`. */
  cut(reason: unknown = new Error('made to lose its subscription')): void {
    this.#isCut = true
    this.#listener?.onDown(reason)
  }

  /** The subscription stands again. */
  restore(): void {
    this.#isCut = false
    this.#listener?.onUp()
  }

  /** Ends all faults but a cut, and delivers what was kept back. */
  heal(): void {
    this.#rules.clear()
    this.release()
  }

  /** Returns a listener that passes on to `listener` what the faults let through. */
  listen(listener: BusListener): BusListener {
    this.#listener = listener
    return {
      onMessage: (message) => this.#receive(message),
      onUp: () => {
        if (!this.#isCut) listener.onUp()
      },
      onDoubt: () => listener.onDoubt(),
      onDown: (reason) => listener.onDown(reason),
      onGarbage: (reason) => listener.onGarbage(reason),
    }
  }

  #receive(message: BusMessage): void {
    const fault = this.#rules.take(message.kind)
    switch (fault?.kind) {
      case 'drop':
        return
      case 'garble':
        this.#listener?.onGarbage(new Error('made unreadable'))
        return
      case 'hold':
        this.#held.push(message)
        return
      case 'delay':
        this.#clock.schedule(fault.ms, () => this.#hand(message), 'background')
        return
      case 'duplicate':
        this.#hand(message)
        this.#hand(message)
        return
      default:
        this.#hand(message)
    }
  }

  #hand(message: BusMessage): void {
    if (!this.#isCut) this.#listener?.onMessage(message)
  }
}

export interface FaultyBus extends Bus {
  readonly faults: BusFaults
}

/**
 * Wraps one node's bus so that what it delivers can be lost, repeated, delayed, reordered, garbled or cut off.
 *
 * @example
 * const bus = faultyBus(store.bus)
 * bus.faults.drop({ on: 'keys', times: 1 })
 */
export function faultyBus(
  bus: Bus,
  options: { readonly clock?: Clock | undefined } = {},
): FaultyBus {
  const faults = new BusFaults(options.clock)
  const { publish } = bus
  return {
    faults,
    name: bus.name,
    subscribe: (namespace, listener) => bus.subscribe(namespace, faults.listen(listener)),
    ...(publish === undefined ? {} : { publish: (message) => publish.call(bus, message) }),
    close: () => bus.close(),
  }
}
