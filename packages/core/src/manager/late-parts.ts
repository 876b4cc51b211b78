/** What a manager makes at its first use, and not before: locks, limits, sessions, boards, event stores and topics. */

import type { CacheNode } from '../cache/node.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Limits } from '../limits/limits.ts'
import type { ResolvedLimiter } from '../limits/resolve-limiter.ts'
import type { Locks } from '../locks/locks.ts'
import { type BoardParts, createBoardParts } from './create-boards.ts'
import { createEventStoreParts, type EventStoreParts } from './create-event-store.ts'
import { createLimits } from './create-limits.ts'
import { createLocks } from './create-locks.ts'
import { createSessionParts, type SessionParts } from './create-sessions.ts'
import { createTopicParts, type TopicParts } from './create-topics.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import type { MadeSoFar } from './manager-report.ts'

export class LateParts {
  readonly #options: ResolvedManagerOptions
  readonly #node: CacheNode
  #locks: Locks | undefined
  #limits: Limits | undefined
  #sessions: SessionParts | undefined
  #boards: BoardParts | undefined
  #eventStore: EventStoreParts | undefined
  #topics: TopicParts | undefined

  constructor(options: ResolvedManagerOptions, node: CacheNode) {
    this.#options = options
    this.#node = node
  }

  /** What there is so far. */
  get made(): MadeSoFar {
    return {
      locks: this.#locks,
      limits: this.#limits,
      sessions: this.#sessions?.store,
      boards: this.#boards?.store,
      eventStore: this.#eventStore?.store,
      topics: this.#topics?.store,
    }
  }

  /** @throws InvalidOptionError when no store of the manager has locks; ClosedError */
  locks(): Locks {
    this.#assertOpen('locks')
    this.#locks ??= createLocks(this.#options, this.#node)
    return this.#locks
  }

  /** @throws InvalidOptionError, also when no store of the manager has limits; ClosedError */
  limiter(resolve: () => ResolvedLimiter): Limiter {
    this.#assertOpen('limiter')
    this.#limits ??= createLimits(this.#options, this.#node)
    const limiter = resolve()
    this.#node.secondsMeant?.windows(limiter.options, limiter.where)
    return this.#limits.limiter(limiter)
  }

  /** @throws InvalidOptionError when no store of the manager has sessions; ClosedError */
  sessions(): SessionParts {
    this.#assertOpen('sessions')
    this.#sessions ??= createSessionParts(this.#options, this.#node)
    return this.#sessions
  }

  /** @throws InvalidOptionError when no store of the manager has boards; ClosedError */
  boards(): BoardParts {
    this.#assertOpen('boards')
    this.#boards ??= createBoardParts(this.#options, this.#node)
    return this.#boards
  }

  /** @throws InvalidOptionError when no store of the manager keeps events; ClosedError */
  eventStore(): EventStoreParts {
    this.#assertOpen('eventStore')
    this.#eventStore ??= createEventStoreParts(this.#options, this.#node)
    return this.#eventStore
  }

  /** @throws InvalidOptionError when no store of the manager has topics; ClosedError */
  topics(): TopicParts {
    this.#assertOpen('topics')
    this.#topics ??= createTopicParts(this.#options, this.#node)
    return this.#topics
  }

  /** Ends what waits for a lock or a limit. */
  async close(): Promise<void> {
    await Promise.all([this.#locks?.[INTERNALS].close(), this.#limits?.close()])
  }

  /** Ends the stores of sessions, boards, events and topics, once what was under way is over. */
  async closeStores(): Promise<void> {
    const parts = [this.#sessions, this.#boards, this.#eventStore, this.#topics]
    await Promise.all(parts.map((part) => part?.store.close()))
  }

  #assertOpen(part: string): void {
    if (this.#node.isClosed) throw new ClosedError(this.#options.namespace, part)
  }
}
