/** Which provider a manager's locks or limits come from. */

import type { LockProvider } from '../contracts/lock-provider.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

interface Providers {
  readonly locks: LockProvider
  readonly limits: RateLimitProvider
}

/** What may bring providers: the options themselves, and stores. */
type Bringer = { readonly [Kind in keyof Providers]?: Providers[Kind] | undefined }

const NAMES: Readonly<Record<keyof Providers, string>> = {
  locks: 'a lock provider',
  limits: 'a rate-limit provider',
}

/**
 * The provider given by name, else that of the shared store, else that of the local one where nothing is shared.
 *
 * @throws InvalidOptionError where there is none: a shared store without one is not quietly replaced by this process's own,
 *   whose locks would exclude nobody else, and which would let every process admit the whole limit.
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
