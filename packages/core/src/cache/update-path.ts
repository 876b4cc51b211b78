/**
 * How an entry is updated: a callback makes the new value from the current one, and it is written only if nobody has changed the
 * entry in between. If somebody has, it is tried again with what is there then.
 *
 * Optimistic: nobody waits for anybody, so nothing can lock up, whatever the callback does. The first retries follow at once,
 * with the entry that the refusal brought: a round trip each. Where that is not enough, many want the same entry. Then each
 * waits for a random time, which grows, and looks anew, because what the refusal brought is old by then.
 */

import { ClosedError } from '../errors/closed-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { UpdateConflictError } from '../errors/update-error.ts'
import { withValue } from '../events/event-value.ts'
import { onAbort } from '../lifecycle/on-abort.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import { PutEnds } from './put-ends.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { StoredEntries } from './stored-entries.ts'
import { UpdateFar } from './update-far.ts'
import { UpdateNear } from './update-near.ts'
import type { Seen, UpdatePlace } from './update-place.ts'
import { ownCopy } from './value-forms.ts'
import type { WritePath } from './write-path.ts'

export interface Update {
  readonly call: ReadCall
  /** Makes the new value; `undefined` to leave the entry as it is. */
  readonly change: (old: unknown) => unknown
  readonly retries: number
  readonly signal: AbortSignal | undefined
}

export interface UpdatePathParts {
  readonly shelf: LocalShelf
  readonly reports: ReadReports
  readonly writes: WritePath
}

/** How many retries follow at once. */
const QUICK_RETRIES = 3
const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 200
const HARD = { soft: false, settleMs: 0 } as const

export class UpdatePath {
  readonly #node: CacheNode
  readonly #writes: WritePath
  readonly #near: UpdateNear
  readonly #far: UpdateFar

  constructor(node: CacheNode, { shelf, reports, writes }: UpdatePathParts) {
    this.#node = node
    this.#writes = writes
    const ends = new PutEnds(node, shelf, writes)
    this.#near = new UpdateNear(node, ends, writes)
    this.#far = new UpdateFar(node, ends, new StoredEntries(node, shelf, reports))
  }

  /**
   * Returns the new value, or `undefined` when the callback made none.
   *
   * @throws what the callback throws; UpdateConflictError, UpdateFailedError, ValueError, InvalidOptionError where the cache
   * has no place that is shared and can compare; ClosedError
   */
  async update(update: Update): Promise<unknown> {
    const node = this.#node
    const { call, change } = update
    if (node.isClosed) throw new ClosedError(node.namespace)
    // Nothing is kept anywhere.
    if (node.isOff) return change(undefined)
    if (node.remote === undefined) return this.#updateAt(this.#near, update)
    this.#assertShared(call)
    return this.#updateAt(this.#far, update)
  }

  async #updateAt<Look extends Seen>(place: UpdatePlace<Look>, update: Update): Promise<unknown> {
    const { call, change, retries, signal } = update
    if (this.#node.unit() !== undefined) return this.#updateInUnit(place, update)
    let known: Look | undefined
    for (let tries = 1; ; tries++) {
      const looked = known ?? place.look(call)
      // In process nothing is awaited that need not be: a callback that is synchronous is never overtaken.
      const seen = looked instanceof Promise ? await looked : looked
      try {
        signal?.throwIfAborted()
        const made = change(seen.value)
        const value = isThenable(made) ? await made : made
        if (value === undefined) return undefined
        signal?.throwIfAborted()
        const outcome = await place.write(call, seen, value)
        if (typeof outcome === 'string') {
          this.#report(call, outcome, value)
          return value
        }
        known = outcome.refused
      } finally {
        seen.fence.end()
      }
      const isOver = tries > retries
      if (isOver || tries > QUICK_RETRIES) {
        known?.fence.end()
        known = undefined
      }
      if (isOver) throw new UpdateConflictError(call.fullKey, tries)
      if (tries > QUICK_RETRIES) await this.#pause(tries - QUICK_RETRIES, signal)
    }
  }

  /** Others must not read what is not committed yet, as for a put: the key is evicted at the end of the unit. */
  async #updateInUnit<Look extends Seen>(
    place: UpdatePlace<Look>,
    { call, change }: Update,
  ): Promise<unknown> {
    let old: unknown
    if (this.#node.unit()?.covers(call.cache, call.fullKey) !== true) {
      const seen = await place.look(call)
      seen.fence.end()
      old = seen.value
    }
    const value = await change(old)
    if (value !== undefined) await this.#writes.evict(call.cache, [call.fullKey], HARD)
    return value
  }

  /** @throws InvalidOptionError */
  #assertShared({ cache, policy }: ReadCall): void {
    const { remote } = this.#node
    if (!policy.remote) {
      throw new InvalidOptionError({
        option: `cache(${cache}).remote`,
        expected: 'true for update: without it every process has a value of its own',
        received: false,
      })
    }
    if (remote?.store.swap !== undefined && remote.store.capabilities.sequences) return
    throw new InvalidOptionError({
      option: `cache(${cache}).update`,
      expected: 'a store that can compare and replace in one step, such as redisStore',
      received: remote?.store.name,
    })
  }

  #report(call: ReadCall, outcome: 'stored' | 'removed', made: unknown): void {
    const node = this.#node
    if (!node.events.heard.has('put')) return
    const { policy, cache, fullKey: key } = call
    const event = { cache, key, outcome: outcome === 'stored' ? outcome : 'not-kept' } as const
    const value = (): unknown =>
      policy.isolation === 'cloned' ? ownCopy(node, policy, made) : made
    node.events.emit('put', withValue(event, value))
  }

  /** Waits for a random time, up to one that doubles with each retry. */
  #pause(retry: number, signal: AbortSignal | undefined): Promise<void> {
    const mostMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(retry, 20))
    return new Promise((resolve) => {
      const ended = (): void => {
        cancel()
        forget?.()
        resolve()
      }
      const cancel = this.#node.clock.schedule(Math.random() * mostMs, ended, 'caller')
      const forget = signal && onAbort(signal, ended)
    })
  }
}

function isThenable(made: unknown): made is PromiseLike<unknown> {
  return (
    typeof made === 'object' && made !== null && 'then' in made && typeof made.then === 'function'
  )
}
