/** Switches that make the calls of a remote store go wrong. */

import { createSystemClock } from '../../clock/system-clock.ts'
import type { Clock } from '../../contracts/clock.ts'
import type { RemoteStore } from '../../contracts/remote-store.ts'
import { FaultRules, type FaultScope } from './fault-rules.ts'

/** The methods of a remote store that can be made to fail. */
export type RemoteOperation = Extract<
  keyof RemoteStore,
  | 'read'
  | 'readHeaders'
  | 'claim'
  | 'renew'
  | 'release'
  | 'fill'
  | 'put'
  | 'swap'
  | 'evict'
  | 'sync'
  | 'changesSince'
  | 'bumpTags'
  | 'tagsSince'
  | 'scan'
>

export type RemoteFaultScope = FaultScope<RemoteOperation>

/** Changes the bytes of an entry on their way to the reader. */
export type Damage = (bytes: Uint8Array) => Uint8Array

type Fault =
  | { readonly kind: 'fail'; readonly error: unknown }
  | { readonly kind: 'lose-reply'; readonly error: unknown }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'corrupt'; readonly damage: Damage }

/** How one call is run: what it does, and how damage would show in its result. */
export interface FaultyCall<Result> {
  run(): Promise<Result>
  damaged?(result: Result, damage: Damage): Result
}

/**
 * Faults of one store. Each method adds a fault; the first that fits a call hits it. `heal` ends them all.
 *
 * @example
 * const store = faultyRemoteStore(redisStore({ url }))
 * store.faults.fail({ on: 'fill', times: 1 })
 */
export class RemoteFaults {
  readonly #rules = new FaultRules<RemoteOperation, Fault>()
  readonly #counts = new Map<RemoteOperation, number>()
  readonly #clock: Clock
  #hanging: (() => void)[] = []

  /** `clock`: what delays are measured by. @default the system's */
  constructor(clock: Clock = createSystemClock()) {
    this.#clock = clock
  }

  /** Calls reject and do nothing. */
  fail(scope?: RemoteFaultScope, error: unknown = new Error('made to fail')): void {
    this.#rules.add({ kind: 'fail', error }, scope)
  }

  /** Calls take effect, and then reject: the caller cannot know that they did. */
  loseReply(scope?: RemoteFaultScope, error: unknown = new Error('made to lose its reply')): void {
    this.#rules.add({ kind: 'lose-reply', error }, scope)
  }

  /** Calls wait until `heal`, and only then do what they do. */
  hang(scope?: RemoteFaultScope): void {
    this.#rules.add({ kind: 'hang' }, scope)
  }

  /** Calls wait this long before they do what they do. */
  delay(ms: number, scope?: RemoteFaultScope): void {
    this.#rules.add({ kind: 'delay', ms }, scope)
  }

  /** Bytes that are read arrive damaged. @default cut off in the middle */
  corrupt(damage: Damage = truncate, scope?: RemoteFaultScope): void {
    this.#rules.add({ kind: 'corrupt', damage }, scope)
  }

  /** Ends all faults; hanging calls go on, in their order. */
  heal(): void {
    this.#rules.clear()
    const hanging = this.#hanging
    this.#hanging = []
    for (const goOn of hanging) goOn()
  }

  /** How many calls there were, of one operation or in all, successful or not. */
  calls(operation?: RemoteOperation): number {
    if (operation !== undefined) return this.#counts.get(operation) ?? 0
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Runs a call under the faults that are switched on. */
  async run<Result>(operation: RemoteOperation, call: FaultyCall<Result>): Promise<Result> {
    this.#counts.set(operation, this.calls(operation) + 1)
    const fault = this.#rules.take(operation)
    switch (fault?.kind) {
      case 'fail':
        throw fault.error
      case 'lose-reply':
        await call.run()
        throw fault.error
      case 'corrupt': {
        const result = await call.run()
        return call.damaged === undefined ? result : call.damaged(result, fault.damage)
      }
      case 'hang':
        await new Promise<void>((resolve) => this.#hanging.push(resolve))
        return call.run()
      case 'delay':
        await new Promise<void>((resolve) => this.#clock.schedule(fault.ms, resolve, 'caller'))
        return call.run()
      default:
        return call.run()
    }
  }
}

/** Cuts bytes off in the middle. */
export function truncate(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, Math.floor(bytes.length / 2))
}

/** Replaces every byte by its complement: nothing of the entry is left, not even its format's first byte. */
export function garble(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff)
}
