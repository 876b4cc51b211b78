/** Which provider a manager's locks, limits, sessions, boards or streams come from. */

import type { BoardProvider } from '../contracts/board-provider.ts'
import type { LockProvider } from '../contracts/lock-provider.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { SessionProvider } from '../contracts/session-provider.ts'
import type { StreamProvider } from '../contracts/stream-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

interface Providers {
  readonly locks: LockProvider
  readonly limits: RateLimitProvider
  readonly sessions: SessionProvider
  readonly boards: BoardProvider
  readonly streams: StreamProvider
}

/** What may bring providers: the options themselves, and stores. */
type Bringer = { readonly [Kind in keyof Providers]?: Providers[Kind] | undefined }

const NAMES: Readonly<Record<keyof Providers, string>> = {
  locks: 'a lock provider',
  limits: 'a rate-limit provider',
  sessions: 'a session provider',
  boards: 'a board provider',
  streams: 'a stream provider',
}

/**
 * The provider given in the options, else that of the shared store, else, without a shared store, that of the local one.
 *
 * @throws InvalidOptionError if there is none. With a shared store that has none, the local one is not used: its locks would exclude no
 *   other process, every process would admit the whole limit, and a session, a score or a message would be known to one process only.
 */
export function providerOf<Kind extends keyof Providers>(
  kind: Kind,
  options: ResolvedManagerOptions,
): Providers[Kind] {
  const given: Bringer = options
  const stores: Bringer | undefined = options.remote ?? options.local
  const provider = given[kind] ?? stores?.[kind]
  if (provider !== undefined) return provider
  throw new InvalidOptionError({
    option: `createCacheManager.${kind}`,
    expected: `${NAMES[kind]}, because the stores given have none`,
    received: undefined,
  })
}
