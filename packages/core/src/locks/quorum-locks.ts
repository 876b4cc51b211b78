/**
 * One lock on several independent stores: held when more than half of them granted it.
 *
 * Two rounds. The first asks all stores at once. With a majority the lock belongs to this owner alone, because any two
 * majorities share a store. But each store mints its own fences, and the store that knows the last fence may be down now. So
 * the second round writes the highest fence back to a majority before it is handed out. The next majority shares a store with
 * this one, and starts above it. (The token problem of quorum locks: Kleppmann, "How to do distributed locking", 2016.)
 *
 * There is no common queue: stores would serve waiters in different orders, and each waiter would hold a few grants and wait
 * for the others. Instead waiters try again at random intervals, and give back grants that are not a majority.
 */

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
import { askAll, majorityOf, type Vote } from './quorum-votes.ts'

export interface QuorumLocksOptions {
  /** Independent stores, not replicas of each other. An odd number from 3 to 9. */
  readonly providers: readonly LockProvider[]
}

const NAMES = optionNames<QuorumLocksOptions>({ providers: true })
const FEWEST = 3
const MOST = 9
const SHORTEST_RETRY_MS = 20
const LONGEST_RETRY_MS = 120

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
    this.#majority = majorityOf(providers.length)
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
    // Some providers that did not answer may have granted it.
    await this.leave(request)
    const failed = replies.find(({ error }) => error !== undefined)
    const answered = replies.filter(({ value }) => value !== undefined).length
    if (failed !== undefined && answered < this.#majority) throw failed.error
    const spread = LONGEST_RETRY_MS - SHORTEST_RETRY_MS
    return { kind: 'held', retryInMs: SHORTEST_RETRY_MS + Math.random() * spread, position: -1 }
  }

  renew(target: LockTarget, termMs: number): Promise<boolean> {
    return this.#byMajority((provider) => provider.renew(target, termMs))
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#byMajority((provider) => provider.release(target))
  }

  async leave(target: LockTarget): Promise<void> {
    await this.#ask((provider) => provider.leave(target), isAnswer)
  }

  /** As the majority sees it: the state in the store with the highest fence that answers. @throws when too few answer */
  async inspect(name: string): Promise<LockState> {
    const replies = await this.#ask((provider) => provider.inspect(name), isAnswer)
    const states = replies.flatMap(({ value }) => (value === undefined ? [] : [value]))
    if (states.length < this.#majority) throw replies.find(({ error }) => error)?.error
    return states.reduce((best, state) => (state.fence > best.fence ? state : best))
  }

  /** A majority decides, so a majority must have tried. */
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

  #ask<Result>(
    ask: (provider: LockProvider) => Promise<Result> | undefined,
    saysYes: (answer: Vote<Result>) => boolean,
  ): Promise<readonly Vote<Result>[]> {
    return askAll(this.#providers, ask, saysYes)
  }
}

function isYes({ value }: Vote<unknown>): boolean {
  return value === true
}

function isGranted({ value }: Vote<AcquireReply>): boolean {
  return value?.kind === 'granted'
}

/** True for yes and for no. */
function isAnswer(answer: Vote<unknown>): boolean {
  return 'value' in answer
}
