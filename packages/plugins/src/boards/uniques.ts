/** Unique visitors over a cache manager's store: how many different ones there were, without keeping who. */

import { createHmac } from 'node:crypto'
import type { CacheManager } from '@larder/core'
import { assertInteger, type BoardParts, type UniqueCount } from '@larder/core/store'
import { boardPartsOf, nameText } from './common-options.ts'
import { type CountOptions, resolveLast } from './counter-options.ts'
import {
  type ResolvedUniquesOptions,
  resolveUniquesOptions,
  type UniquesOptions,
} from './unique-options.ts'

const MOST_AT_ONCE = 1_000
const DIGEST_BYTES = 16

/** A visitor by its id: a text, or a number, which is the same as its digits. */
export type Visitor = string | number

/**
 * Creates counts of unique visitors that are kept in the store of a manager: the remote one, or without one in this process.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps such counts; ClosedError
 * @example
 * const visitors = createUniques(caches, { name: 'visitors', per: 'day', periods: 7, salt: process.env.VISITOR_SALT ?? '' })
 * await visitors.seen('home', user.id)
 * const { count, exact } = await visitors.count('home', { last: 7 })
 */
export function createUniques(caches: CacheManager, options: UniquesOptions): Uniques {
  return new Uniques(boardPartsOf(caches, 'createUniques'), resolveUniquesOptions(options))
}

export class Uniques {
  readonly #parts: BoardParts
  readonly #options: ResolvedUniquesOptions

  /** Use `createUniques`. */
  constructor(parts: BoardParts, options: ResolvedUniquesOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Notes one visitor, or at most 1 000 in one step, in the present period. Doing so again changes nothing, so after a
   * `BoardUnavailableError` call again.
   *
   * @throws BoardUnavailableError; InvalidOptionError
   */
  async seen(key: string | number, visitors: Visitor | readonly Visitor[]): Promise<void> {
    const name = nameText(key, 'uniques.seen.key')
    const all = Array.isArray(visitors) ? (visitors as readonly Visitor[]) : [visitors as Visitor]
    if (all.length === 0) return
    assertInteger(all.length, 'uniques.seen.visitors.length', { min: 1, max: MOST_AT_ONCE })
    // Not `map`, which leaves out what an array has no element for.
    const digests = Array.from(all, (visitor) =>
      this.#digestOf(name, nameText(visitor, 'uniques.seen.visitors')),
    )
    const { rule, timeoutMs } = this.#options
    await this.#parts.store.ask('seen', timeoutMs, (provider) => provider.seen(rule, name, digests))
  }

  /**
   * Returns how many different visitors there were in the present period, or with `last` in several together: one who came in each of them
   * counts once. `exact: false`: estimated, with a standard error of 0.81 %.
   *
   * @throws BoardUnavailableError; InvalidOptionError
   */
  async count(key: string | number, options: CountOptions = {}): Promise<UniqueCount> {
    const name = nameText(key, 'uniques.count.key')
    const { rule, timeoutMs } = this.#options
    const last = resolveLast(options, { periods: rule.periods, where: 'uniques.count' })
    return this.#parts.store.ask('unique', timeoutMs, (provider) =>
      provider.unique(rule, name, last),
    )
  }

  /** Of each key another one, so that nobody can be followed from key to key. */
  #digestOf(key: string, visitor: string): Uint8Array {
    const { rule, salt } = this.#options
    const text = JSON.stringify([rule.uniques, key, visitor])
    return createHmac('sha256', salt).update(text).digest().subarray(0, DIGEST_BYTES)
  }
}
