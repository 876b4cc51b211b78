/**
 * Limits that are looked up, such as a plan per tenant.
 *
 * A function that returns a limit at once is called for every call, and its result is never kept: it may depend on anything. A
 * promised limit comes from a database, so it is kept for a while, by all arguments, and callers that come meanwhile wait for
 * the same answer. When a later lookup fails, the last known limit stays in use.
 */

import type { Clock } from '../contracts/clock.ts'
import { encodeArguments } from '../keys/encode-arguments.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import { assertInteger } from '../options/assert-option.ts'
import { MOST } from './policy-options.ts'

/** What a limit is looked up for. */
export interface LookupCall {
  readonly self: unknown
  readonly args: readonly unknown[]
}

export interface LookupParts {
  readonly source: (...args: never[]) => unknown
  /** How messages name it. */
  readonly option: string
  readonly ttlMs: number
  readonly clock: Clock
  /** Called when a lookup failed and the last known limit stays in use. */
  failed(error: unknown): void
}

interface Row {
  limit: number | undefined
  until: number
  pending: Promise<number> | undefined
}

/** The most answers that are kept; beyond, the oldest is forgotten, which costs a lookup. */
const MOST_KEPT = 10_000
/** How long the last known limit stays in use before the next lookup, ms. */
const RETRY_MS = 1_000
const NOBODY = {}

export class LimitLookup {
  readonly #parts: LookupParts
  /** By the `this` of the function. */
  readonly #rows = new WeakMap<object, Map<string, Row>>()
  /** The function has returned a promise before. */
  #isAsync = false

  constructor(parts: LookupParts) {
    this.#parts = parts
  }

  /**
   * Returns the limit of a call, or a promise of it.
   *
   * @throws what the function throws; InvalidOptionError where the result is not a limit
   */
  find(call: LookupCall): number | Promise<number> {
    const found = this.#find(call)
    // Another policy's lookup may throw before this one is awaited.
    if (typeof found !== 'number') found.catch(() => undefined)
    return found
  }

  #find({ self, args }: LookupCall): number | Promise<number> {
    if (!this.#isAsync) {
      const found = this.#call(self, args)
      if (!isThenable(found)) return this.#checked(found)
      this.#isAsync = true
      const id = idOf(args)
      return id === undefined ? this.#promised(found) : this.#keep(self, id, found)
    }
    const id = idOf(args)
    const row = id === undefined ? undefined : this.#rowsOf(self).get(id)
    if (row !== undefined) {
      if (row.limit !== undefined && this.#parts.clock.now() < row.until) return row.limit
      if (row.pending !== undefined) return row.pending
    }
    const found = this.#promiseOf(self, args)
    return id === undefined ? this.#promised(found) : this.#keep(self, id, found)
  }

  /** A function that usually promises may also throw at once; that counts as a failed lookup too. */
  #promiseOf(self: unknown, args: readonly unknown[]): unknown {
    try {
      return this.#call(self, args)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #call(self: unknown, args: readonly unknown[]): unknown {
    return this.#parts.source.apply(self, args as never[])
  }

  #keep(self: unknown, id: string, found: unknown): Promise<number> {
    const rows = this.#rowsOf(self)
    const row = rows.get(id) ?? { limit: undefined, until: 0, pending: undefined }
    const { clock, ttlMs } = this.#parts
    row.pending = this.#promised(found).then(
      (limit) => {
        row.pending = undefined
        row.limit = limit
        row.until = clock.now() + ttlMs
        return limit
      },
      (error: unknown) => {
        row.pending = undefined
        if (row.limit === undefined) {
          rows.delete(id)
          throw error
        }
        this.#parts.failed(error)
        row.until = clock.now() + Math.min(ttlMs, RETRY_MS)
        return row.limit
      },
    )
    rows.delete(id)
    rows.set(id, row)
    if (rows.size > MOST_KEPT) {
      const [oldest] = rows.keys()
      if (oldest !== undefined) rows.delete(oldest)
    }
    return row.pending
  }

  async #promised(found: unknown): Promise<number> {
    return this.#checked(await found)
  }

  #checked(limit: unknown): number {
    assertInteger(limit, this.#parts.option, { min: 0, max: MOST })
    return limit
  }

  #rowsOf(self: unknown): Map<string, Row> {
    const owner = typeof self === 'object' && self !== null ? self : NOBODY
    const known = this.#rows.get(owner)
    if (known !== undefined) return known
    const rows = new Map<string, Row>()
    this.#rows.set(owner, rows)
    return rows
  }
}

/** Undefined where arguments cannot be distinguished: then nothing is kept. */
function idOf(args: readonly unknown[]): string | undefined {
  try {
    return encodeArguments(args)
  } catch {
    return undefined
  }
}
