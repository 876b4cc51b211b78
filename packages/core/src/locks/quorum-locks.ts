/**
 * One lock on several independent stores: held when more than half of them granted it.
 *
 * Two rounds. The first asks all stores at once; with a majority the lock is this owner's alone, for any two majorities
 * share a store. But each store mints fences of its own, and the one that would know of the last fence may be the one that
 * is down now: so the second round writes the highest fence back to a majority before it is handed out. The next majority
 * shares a store with this one, and starts above it. (The token problem of quorum locks: Kleppmann, "How to do distributed
 * locking", 2016.)
 *
 * Votes are counted by what they say. A failure is no vote: it decides only where it leaves too few others for a majority. So
 * a store that is down, and fails at once, does not cut short the time of those that are up and farther away.
 *
 * There is no common queue: stores would serve waiters in different orders, and each waiter would hold a few grants and
 * wait for the others'. Waiters try again, at random intervals, and give back what falls short of a majority.
 */

import { startTimer } from '../clock/start-timer.ts'
import type { CancelTimer } from '../contracts/clock.ts'
import type {
  AcquireReply,
  AcquireRequest,
  LockCapabilities,
  LockProvider,
  LockState,
  LockTarget,
} from '../contracts/lock-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertKnownOptions } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'

export interface QuorumLocksOptions {
  /** Independent stores, not replicas of each other. An odd number from 3 to 9. */
  readonly providers: readonly LockProvider[]
}

const NAMES = optionNames<QuorumLocksOptions>({ providers: true })
const FEWEST = 3
const MOST = 9
const SHORTEST_RETRY_MS = 20
const LONGEST_RETRY_MS = 120
/** What those who have not answered yet get at least, once it is decided. */
const SHORTEST_PATIENCE_MS = 5

/**
 * Creates a lock provider over several independent ones; the lock survives the loss of fewer than half of them.
 *
 * @throws InvalidOptionError
 * @example quorumLocks({ providers: urls.map((url) => redisLocks({ url })) })
 */
export function quorumLocks(options: QuorumLocksOptions): LockProvider {
  assertKnownOptions(options, NAMES, 'quorumLocks')
  const { providers } = options
  const isFine =
    Array.isArray(providers) &&
    providers.length % 2 === 1 &&
    providers.length >= FEWEST &&
    providers.length <= MOST &&
    new Set(providers).size === providers.length &&
    providers.every((provider) => typeof provider?.raise === 'function')
  if (isFine) return new QuorumLocks(providers)
  throw new InvalidOptionError({
    option: 'quorumLocks.providers',
    expected: `3, 5, 7 or 9 different lock providers that can raise a fence, such as redisLocks()`,
    received: providers,
  })
}

class QuorumLocks implements LockProvider {
  readonly name = 'quorum'
  readonly capabilities: LockCapabilities = {
    shared: true,
    queues: false,
    replicas: false,
    modes: ['write'],
  }
  readonly #providers: readonly LockProvider[]
  readonly #majority: number

  constructor(providers: readonly LockProvider[]) {
    this.#providers = providers
    this.#majority = Math.floor(providers.length / 2) + 1
  }

  open(namespace: string): void {
    for (const provider of this.#providers) provider.open(namespace)
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const attempt: AcquireRequest = { ...request, heartbeatMs: 0 }
    const replies = await this.#ask((provider) => provider.acquire(attempt), isGranted)
    const granted = replies.flatMap(({ value }) => (value?.kind === 'granted' ? [value.fence] : []))
    if (granted.length >= this.#majority) {
      const fence = Math.max(...granted)
      const raised = await this.#ask((provider) => provider.raise?.(request, fence), isYes)
      if (raised.filter(({ value }) => value === true).length >= this.#majority) {
        return { kind: 'granted', fence }
      }
    }
    // Some of those that did not answer may have granted it.
    await this.leave(request)
    const failed = replies.find(({ error }) => error !== undefined)
    const answered = replies.filter(({ value }) => value !== undefined).length
    if (failed !== undefined && answered < this.#majority) throw failed.error
    const spread = LONGEST_RETRY_MS - SHORTEST_RETRY_MS
    return { kind: 'held', retryInMs: SHORTEST_RETRY_MS + Math.random() * spread, position: -1 }
  }

  renew(target: LockTarget, leaseMs: number): Promise<boolean> {
    return this.#byMajority((provider) => provider.renew(target, leaseMs))
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#byMajority((provider) => provider.release(target))
  }

  async leave(target: LockTarget): Promise<void> {
    await this.#ask((provider) => provider.leave(target), isAnswer)
  }

  /** As most see it: the state of the store with the highest fence among those that answer. @throws when too few do */
  async inspect(name: string): Promise<LockState> {
    const replies = await this.#ask((provider) => provider.inspect(name), isAnswer)
    const states = replies.flatMap(({ value }) => (value === undefined ? [] : [value]))
    if (states.length < this.#majority) throw replies.find(({ error }) => error)?.error
    return states.reduce((best, state) => (state.fence > best.fence ? state : best))
  }

  /** A majority decides, so a majority has to have tried. */
  async whenTried(): Promise<void> {
    await this.#ask(async (provider) => provider.whenTried?.(), isAnswer)
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#providers.map((provider) => provider.close()))
  }

  /** @throws the first failure when neither yes nor no has a majority */
  async #byMajority(ask: (provider: LockProvider) => Promise<boolean>): Promise<boolean> {
    const replies = await this.#ask(ask, isYes)
    if (replies.filter(isYes).length >= this.#majority) return true
    const failed = replies.find(({ error }) => error !== undefined)
    const isNo = replies.filter(({ value }) => value === false).length >= this.#majority
    if (failed !== undefined && !isNo) throw failed.error
    return false
  }

  /**
   * Asks all; resolves when all have answered, or when it is decided and the rest has had as long again: a store that hangs
   * must not cost the caller its deadline. It is decided when a majority said yes, or a majority answered and can no longer
   * say yes, or too many failed for a majority to answer. Between a no and a failure it is not: a third decides whether the
   * lock is held or nobody can say.
   */
  async #ask<Result>(
    ask: (provider: LockProvider) => Promise<Result> | undefined,
    isYes: (answer: Answer<Result>) => boolean,
  ): Promise<readonly Answer<Result>[]> {
    const answers: Answer<Result>[] = this.#providers.map(() => ({}))
    const begunAt = performance.now()
    let yes = 0
    let no = 0
    let failed = 0
    const count = this.#providers.length
    const isDecided = (): boolean => {
      if (yes >= this.#majority || failed > count - this.#majority) return true
      return yes + no >= this.#majority && count - no - failed < this.#majority
    }
    await new Promise<void>((resolve) => {
      let cancelPatience: CancelTimer | undefined
      const note = (at: number, answer: Answer<Result>): void => {
        answers[at] = answer
        if (isYes(answer)) yes += 1
        else if ('error' in answer) failed += 1
        else no += 1
        if (yes + no + failed === count) {
          cancelPatience?.()
          resolve()
        } else if (isDecided()) {
          const patienceMs = Math.max(SHORTEST_PATIENCE_MS, performance.now() - begunAt)
          cancelPatience ??= startTimer(patienceMs, resolve, 'caller')
        }
      }
      for (const [at, provider] of this.#providers.entries()) {
        begin(() => ask(provider)).then(
          (value) => note(at, { value: value as Result }),
          (error: unknown) => note(at, { error }),
        )
      }
    })
    // A late answer must not change what was decided by.
    return [...answers]
  }
}

interface Answer<Result> {
  readonly value?: Result
  readonly error?: unknown
}

function isYes({ value }: Answer<unknown>): boolean {
  return value === true
}

function isGranted({ value }: Answer<AcquireReply>): boolean {
  return value?.kind === 'granted'
}

/** Whatever it says. */
function isAnswer(answer: Answer<unknown>): boolean {
  return 'value' in answer
}

/** A provider that throws is one that fails. */
async function begin<Result>(ask: () => Promise<Result> | undefined): Promise<Result | undefined> {
  return ask()
}
