/**
 * `caches.locks`: takes locks, keeps them alive, gives them back.
 *
 * What a lock promises: on one Redis at most one owner at any instant of the server's clock; a holder whose lease ends
 * learns of it from its own clock before the server lets the next one in; fences only rise. What it does not promise:
 * that a process which is held up (a long pause, a stopped container) does nothing after its lease. Only what it writes
 * to can see to that, by refusing lower fences.
 *
 * Several keys are taken in sorted order, everybody in the same one, so that nobody waits in a circle; all or none.
 */

import { setMaxListeners } from 'node:events'
import type { Clock } from '../contracts/clock.ts'
import type { LockProvider, LockState } from '../contracts/lock-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { LockLostError, LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Emitter } from '../events/events.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { PassingList } from '../lifecycle/passing-list.ts'
import { assertFunction, assertText } from '../options/assert-option.ts'
import { Hold } from './hold.ts'
import { linkSignals } from './link-signals.ts'
import { HeldLock, type Lock } from './lock.ts'
import { claimLock, type Grant } from './lock-claim.ts'
import { type LockOptions, type ResolvedLockOptions, resolveLockOptions } from './lock-options.ts'
import { enclosingLock, runInside } from './lock-scope.ts'
import { LockStore } from './lock-store.ts'
import { awaitTurn, LockTurns } from './lock-turns.ts'
import { LockWakeUps } from './lock-wake-ups.ts'

export interface LocksParts {
  readonly namespace: string
  readonly provider: LockProvider
  /** For `onUnavailable: 'local'`. */
  readonly fallback: LockProvider | undefined
  /** Precise: a reading from the beginning of a long turn of the event loop would be too kind. */
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
}

const LONGEST_NAME = 1_000
const MOST_KEYS = 100

export class Locks {
  readonly #parts: LocksParts
  readonly #store: LockStore
  readonly #fallback: LockStore | undefined
  readonly #wakeUps: LockWakeUps
  readonly #turns = new LockTurns()
  readonly #closing = new AbortController()
  readonly #held = new PassingList<HeldLock>()

  /** Use `caches.locks`. */
  constructor(parts: LocksParts) {
    this.#parts = parts
    // One for each waiter, which is no leak.
    setMaxListeners(0, this.#closing.signal)
    const { provider, fallback, clock, namespace } = parts
    this.#wakeUps = new LockWakeUps(clock)
    this.#store = new LockStore(provider, clock)
    this.#fallback = fallback === undefined ? undefined : new LockStore(fallback, clock)
    for (const each of [provider, fallback]) {
      if (each === undefined) continue
      each.onWake = (owner) => this.#wakeUps.wake(owner)
      each.open(namespace)
    }
  }

  /**
   * Takes a lock, or several, and keeps it until released: by hand, or at the end of the block with `await using`.
   *
   * Inside `run` or a `@WithLock` method that holds the same key already, the result is a share in that lock.
   *
   * @throws LockTimeoutError when it stayed held; LockUnavailableError when the store cannot say; InvalidOptionError
   * @example await using lock = await caches.locks.acquire('order:7', { lease: '10s', wait: '5s' })
   */
  acquire(keys: string | readonly string[], options: LockOptions = {}): Promise<Lock> {
    try {
      return this.acquireWith(keys, this.resolve(options, 'locks.acquire'))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs work under a lock, or several, and gives it back afterwards.
   *
   * @returns what the work returns
   * @throws as `acquire`; what the work throws; LockLostError, with the work's result, when the lock was lost meanwhile
   * @example await caches.locks.run('report', { lease: '30s' }, async ({ signal }) => build(signal))
   */
  async run<Result>(
    keys: string | readonly string[],
    options: LockOptions,
    work: (lock: Lock) => Promise<Result> | Result,
  ): Promise<Result> {
    assertFunction(work, 'locks.run.work')
    return this.runWith(keys, this.resolve(options, 'locks.run'), work)
  }

  /** Looks at a lock; for people and tests. What it says may be over when it is read. @throws when the store is away */
  inspect(key: string): Promise<LockState> {
    assertText(key, 'locks.inspect.key', LONGEST_NAME)
    return this.#store.inspect(key)
  }

  /** Checks options, also against what the provider can do. @throws InvalidOptionError */
  resolve(options: LockOptions, where: string): ResolvedLockOptions {
    const resolved = resolveLockOptions(options, where)
    this.assertPossible(resolved, where)
    return resolved
  }

  /** Checks options against what the provider can do. @throws InvalidOptionError */
  assertPossible({ mode, fallsBack, replicas }: ResolvedLockOptions, where: string): void {
    const { name, capabilities } = this.#parts.provider
    if (!capabilities.modes.includes(mode)) {
      throw impossible(`${where}.mode`, capabilities.modes.join(' or '), name, mode)
    }
    if (replicas !== undefined && !capabilities.replicas) {
      throw impossible(`${where}.replicas`, 'no replicas', name, replicas.min)
    }
    const isShared = capabilities.shared
    if (!fallsBack || !isShared || this.#fallback !== undefined) return
    throw new InvalidOptionError({
      option: `${where}.onUnavailable`,
      expected: "'throw', or a manager with an in-process store such as local: lruStore()",
      received: 'local',
    })
  }

  /** Like `acquire`, for options that are checked. */
  async acquireWith(
    keys: string | readonly string[],
    options: ResolvedLockOptions,
  ): Promise<HeldLock> {
    const names = namesOf(keys)
    const since = this.#parts.clock.now()
    const { signal, unlink } = linkSignals(this.#closing.signal, options.signal)
    const taken: Hold[] = []
    const holds: Hold[] = []
    try {
      for (const name of names) {
        const shared = this.#sharedHold(name, options)
        if (shared === undefined) taken.push(await this.#take(name, options, since, signal))
        holds.push(shared ?? (taken.at(-1) as Hold))
      }
    } catch (error) {
      await this.#giveBack(taken)
      throw error
    } finally {
      unlink()
    }
    const giveBack = (): Promise<boolean> => {
      this.#held.delete(place)
      return this.#giveBack(taken)
    }
    const lock = new HeldLock({ holds, ignoresLoss: options.ignoresLoss, giveBack })
    const place = this.#held.add(lock)
    return lock
  }

  /** Like `run`, for options that are checked. */
  async runWith<Result>(
    keys: string | readonly string[],
    options: ResolvedLockOptions,
    work: (lock: Lock) => Promise<Result> | Result,
  ): Promise<Result> {
    const lock = await this.acquireWith(keys, options)
    let result: Result
    try {
      result = await runInside(this, lock, () => work(lock))
    } catch (error) {
      // The work's own error says more than the state of the lock.
      await lock.release()
      throw error
    }
    await lock.release()
    if (lock.wasLost && !options.ignoresLoss) throw new LockLostError(lock.keys.join(', '), result)
    return result
  }

  /** Ends all waiting, gives back what is held, and closes the providers. */
  async close(): Promise<void> {
    const closed = new ClosedError()
    this.#closing.abort(closed)
    const released = this.#held.values().map(async (lock) => {
      lock.lose(closed)
      await lock.release()
    })
    await Promise.all(released)
    await Promise.allSettled([this.#parts.provider.close(), this.#parts.fallback?.close()])
    this.#store.close()
    this.#fallback?.close()
  }

  /** The hold of an enclosing `run` on the same name. @throws InvalidOptionError where a reader would become a writer */
  #sharedHold(name: string, { mode }: ResolvedLockOptions): Hold | undefined {
    const hold = enclosingLock(this, name)?.holds.find(({ target }) => target.name === name)
    if (hold === undefined) return undefined
    const { mode: held } = hold.target
    if (held === mode || (held === 'write' && mode === 'read')) return hold
    throw new InvalidOptionError({
      option: `the mode of lock ${name}`,
      expected: `${held}, in which the running code holds it already: two that wait to become writers would wait for each other`,
      received: mode,
    })
  }

  async #take(
    name: string,
    options: ResolvedLockOptions,
    since: number,
    signal: AbortSignal,
  ): Promise<Hold> {
    try {
      const hold = await this.#takeFrom(this.#store, name, options, since, signal)
      this.#report(name, 'granted', since, this.#store)
      return hold
    } catch (error) {
      const isUnavailable = error instanceof LockUnavailableError
      if (isUnavailable && options.fallsBack && this.#fallback !== undefined) {
        return this.#takeFrom(this.#fallback, name, options, since, signal)
      }
      if (isUnavailable) this.#report(name, 'unavailable', since, this.#store)
      else if (error instanceof LockTimeoutError) this.#report(name, 'timeout', since, this.#store)
      throw error
    }
  }

  async #takeFrom(
    store: LockStore,
    name: string,
    options: ResolvedLockOptions,
    since: number,
    signal: AbortSignal,
  ): Promise<Hold> {
    const { clock, work } = this.#parts
    // One try needs no turn, and those who share need not wait for each other.
    const takesTurns = !options.isGlobal && options.waitMs > 0 && options.mode === 'write'
    const inBackground = (task: Promise<unknown>): void => work.run('leave a lock', task)
    const claim = {
      name,
      store,
      clock,
      wakeUps: this.#wakeUps,
      options,
      since,
      signal,
      inBackground,
    }
    if (!takesTurns) return this.#hold(store, options, await claimLock(claim))
    if (!this.#turns.takeIfFree(name)) {
      const leftMs = since + options.waitMs - clock.now()
      const isTurn = await awaitTurn(this.#turns, { name, ms: leftMs, clock, signal })
      if (!isTurn) throw new LockTimeoutError(name, options.waitMs)
    }
    try {
      return this.#hold(store, options, await claimLock(claim))
    } finally {
      this.#turns.pass(name)
    }
  }

  #hold(store: LockStore, { leaseMs, maxHoldMs }: ResolvedLockOptions, grant: Grant): Hold {
    const { clock } = this.#parts
    const { target, fence, sentAt } = grant
    const hold = new Hold({ store, clock, target, fence, leaseMs, maxHoldMs, sentAt })
    hold.onLost = [() => this.#report(target.name, 'lost', sentAt, store)]
    return hold
  }

  /** Resolves with whether the store still knew them all. */
  #giveBack(holds: readonly Hold[]): Promise<boolean> {
    const [first] = holds
    if (first !== undefined && holds.length === 1) return this.#giveOneBack(first)
    return Promise.all(holds.map((hold) => this.#giveOneBack(hold))).then((outcomes) =>
      outcomes.every(Boolean),
    )
  }

  /** A store that is away counts as knowing, as the clock said so. */
  async #giveOneBack(hold: Hold): Promise<boolean> {
    const { name } = hold.target
    const wasLost = hold.isLost
    try {
      const wasKnown = await hold.release()
      if (!wasLost) this.#report(name, wasKnown ? 'released' : 'lost', hold.since, hold.store)
      return wasKnown
    } catch {
      this.#report(name, 'release-failed', hold.since, hold.store)
      return !wasLost
    }
  }

  #report(
    key: string,
    outcome: 'granted' | 'timeout' | 'unavailable' | 'released' | 'lost' | 'release-failed',
    since: number,
    store: LockStore,
  ): void {
    const { events, clock } = this.#parts
    if (!events.has('lock')) return
    const { name: source } = store.provider
    events.emit('lock', { key, outcome, ms: clock.now() - since, source })
  }
}

/** Sorted, so that everybody takes several keys in the same order. @throws InvalidOptionError */
function namesOf(keys: string | readonly string[]): readonly string[] {
  if (typeof keys === 'string') {
    assertText(keys, 'locks.keys', LONGEST_NAME)
    return [keys]
  }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) {
    throw new InvalidOptionError({
      option: 'locks.keys',
      expected: `a text, or a list of 1 to ${MOST_KEYS} texts`,
      received: keys,
    })
  }
  for (const key of keys) assertText(key, 'locks.keys', LONGEST_NAME)
  return [...new Set(keys as readonly string[])].sort()
}

function impossible(
  option: string,
  can: string,
  provider: string,
  received: unknown,
): InvalidOptionError {
  const expected = `${can}: the lock provider ${provider} knows no other`
  return new InvalidOptionError({ option, expected, received })
}
