/** What a manager makes at its first use, and not before: one part per kind of provider. */

import type { BoardProvider } from '../contracts/board-provider.ts'
import type { EventStoreProvider } from '../contracts/event-store-provider.ts'
import type { ProviderKind } from '../contracts/providers.ts'
import type { StreamProvider } from '../contracts/stream-provider.ts'
import type { TopicProvider } from '../contracts/topic-provider.ts'
import { BoardOptionsError, BoardUnavailableError } from '../errors/board-error.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { EventStoreUnavailableError } from '../errors/event-store-error.ts'
import { StreamUnavailableError } from '../errors/stream-error.ts'
import { TopicUnavailableError } from '../errors/topic-error.ts'
import type { ProviderStore } from '../guard/provider-store.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { ResolvedLimiter } from '../limits/resolve-limiter.ts'
import { createLimits } from './create-limits.ts'
import { createLocks } from './create-locks.ts'
import { createSessions } from './create-sessions.ts'
import { createStructures } from './create-structures.ts'
import { createWrites } from './create-writes.ts'
import {
  type LatePart,
  type PartPlace,
  plainPart,
  type StoreParts,
  type ValueParts,
  valuePart,
} from './late-part.ts'
import type { BreakerStatus } from './status.ts'

/** What boards need of a manager. */
export type BoardParts = StoreParts<ProviderStore<BoardProvider>>

/** What event stores need of a manager. */
export type EventStoreParts = ValueParts<ProviderStore<EventStoreProvider>>

/** What streams need of a manager. */
export type StreamParts = ValueParts<ProviderStore<StreamProvider>>

/** What topics need of a manager. */
export type TopicParts = ValueParts<ProviderStore<TopicProvider>>

/** How each is made. One line per system. */
const MAKERS = {
  locks: createLocks,
  limits: createLimits,
  sessions: createSessions,
  boards: plainPart('boards', BoardUnavailableError, isBoardVerdict),
  streams: valuePart('streams', StreamUnavailableError),
  structures: createStructures,
  writes: createWrites,
  eventStore: valuePart('eventStore', EventStoreUnavailableError),
  topics: valuePart('topics', TopicUnavailableError),
} satisfies { readonly [Kind in ProviderKind]: (place: PartPlace) => LatePart<unknown> }

function isBoardVerdict(error: unknown): error is BoardOptionsError {
  return error instanceof BoardOptionsError
}

type Parts = { [Kind in ProviderKind]: ReturnType<(typeof MAKERS)[Kind]> }

export class LateParts {
  readonly #place: PartPlace
  readonly #made: Partial<Parts> = {}

  constructor(place: PartPlace) {
    this.#place = place
  }

  /**
   * What users of a kind get. It is made at the first call.
   *
   * @throws InvalidOptionError when no store of the manager brings such a provider; ClosedError, about `operation`
   */
  of<Kind extends ProviderKind>(kind: Kind, operation: string = kind): Parts[Kind]['face'] {
    const { node, options } = this.#place
    if (node.isClosed) throw new ClosedError(options.namespace, operation)
    const make = MAKERS[kind] as (place: PartPlace) => Parts[Kind]
    const part = this.#made[kind] ?? make(this.#place)
    this.#made[kind] = part as Partial<Parts>[Kind]
    return part.face
  }

  /** @throws InvalidOptionError, also when no store of the manager has limits; ClosedError */
  limiter(resolve: () => ResolvedLimiter): Limiter {
    const limits = this.of('limits', 'limiter')
    const limiter = resolve()
    this.#place.node.secondsMeant?.windows(limiter.options, limiter.where)
    return limits.limiter(limiter)
  }

  /** The breakers of what was made so far. */
  breakers(): readonly BreakerStatus[] {
    return this.#each().flatMap(([use, part]) =>
      part
        .stores()
        .map(({ provider, breaker }) => ({ use, provider: provider.name, state: breaker })),
    )
  }

  /** Ends what waits, such as callers for a lock or a limit. */
  async close(): Promise<void> {
    await Promise.all(this.#each().map(([, part]) => part.endWaits?.()))
  }

  /** Closes the providers that are still open, once what was under way is over. */
  async closeStores(): Promise<void> {
    await Promise.all(this.#each().map(([, part]) => part.closeStore?.()))
  }

  #each(): readonly (readonly [kind: ProviderKind, part: LatePart<unknown>])[] {
    return Object.entries(this.#made) as (readonly [ProviderKind, LatePart<unknown>])[]
  }
}

type Door<Kind extends ProviderKind> = () => Parts[Kind]['face']

/** What plugins get of a manager, behind `INTERNALS`. `parts` is asked at a call: a manager makes this before it has them. */
export function doorsTo(parts: () => LateParts): {
  readonly [Kind in Exclude<ProviderKind, 'locks' | 'limits'>]: Door<Kind>
} {
  return {
    sessions: () => parts().of('sessions'),
    boards: () => parts().of('boards'),
    eventStore: () => parts().of('eventStore'),
    topics: () => parts().of('topics'),
    streams: () => parts().of('streams'),
    structures: () => parts().of('structures'),
    writes: () => parts().of('writes'),
  }
}
