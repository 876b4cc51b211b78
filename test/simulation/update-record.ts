/**
 * Which updates the store carried out, and over what.
 *
 * An update that was made from a result replaces that result and nothing else: since the store took it, the key has not been changed by
 * anybody. So of two updates that were made from the same result only one is carried out, and none brings back what was evicted
 * or put over. One that was made from nothing read the source itself: the key has not been changed since. And an
 * update is carried out once, whatever becomes of its requests and replies.
 */

import type { Ledger } from './ledger.ts'
import type { Origin } from './source.ts'

export class UpdateRecord {
  readonly #ledger: Ledger
  /** By operation. */
  readonly #done = new Map<number, { readonly origin: Origin; readonly at: number }>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Notes that the store carries one out; returns what that breaks, in words. */
  carryOut(origin: Origin, at: number): string | undefined {
    const { key, basis } = origin
    if (basis === undefined) return undefined
    const what = `I2: the update of ${key} to result ${origin.id} is carried out at #${at}`
    if (basis.isGivenUp) return `${what}, although it was said to have changed nothing`
    const before = this.#done.get(basis.operation)
    this.#done.set(basis.operation, { origin, at })
    // A request that is sent again is told that it was carried out, and changes nothing.
    if (before?.origin === origin) return undefined
    if (before !== undefined && !this.#isUndone(before.origin, before.at, at))
      return `${what}, although it was carried out at #${before.at} as result ${before.origin.id}`
    const { base } = basis
    const since = base === undefined ? origin.begunAt : (base.storedAt ?? at)
    if (!this.#ledger.hasChanged(key, since, at)) return undefined
    const from = base === undefined ? 'nothing' : `result ${base.id}`
    return `${what} from ${from}, although the key was changed after #${since}`
  }

  /** A failover can take an update back, whose writer then does not know better than to try again. */
  #isUndone({ key }: Origin, at: number, before: number): boolean {
    return !this.#ledger.hasChanged(key, at - 1, before)
  }
}
