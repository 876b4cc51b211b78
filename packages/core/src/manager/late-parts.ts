/** What a manager makes at its first use, and not before: locks, limits, sessions, boards and streams. */

import type { CacheNode } from '../cache/node.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Limits } from '../limits/limits.ts'
import type { ResolvedLimiter } from '../limits/resolve-limiter.ts'
import type { Locks } from '../locks/locks.ts'
import { type BoardParts, createBoardParts } from './create-boards.ts'
import { createLimits } from './create-limits.ts'
import { createLocks } from './create-locks.ts'
import { createSessionParts, type SessionParts } from './create-sessions.ts'
import { createStreamParts, type StreamParts } from './create-streams.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import type { MadeSoFar } from './manager-report.ts'

export class LateParts {
  readonly #options: ResolvedManagerOptions
  readonly #node: CacheNode
  #locks: Locks | undefined
  #limits: Limits | undefined
  #sessions: SessionParts | undefined
  #boards: BoardParts | undefined
  #streams: StreamParts | undefined

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
      streams: this.#streams?.store,
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

  /** @throws InvalidOptionError when no store of the manager has streams; ClosedError */
  streams(): StreamParts {
    this.#assertOpen('streams')
    this.#streams ??= createStreamParts(this.#options, this.#node)
    return this.#streams
  }

  /** Ends what waits for a lock or a limit. */
  async close(): Promise<void> {
    await Promise.all([this.#locks?.[INTERNALS].close(), this.#limits?.close()])
  }

  /** Ends sessions, boards and streams, once what was under way is over. */
  async closeStores(): Promise<void> {
    await Promise.all([
      this.#sessions?.store.close(),
      this.#boards?.store.close(),
      this.#streams?.store.close(),
    ])
  }

  #assertOpen(part: string): void {
    if (this.#node.isClosed) throw new ClosedError(this.#options.namespace, part)
  }
}
