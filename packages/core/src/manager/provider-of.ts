/** Which provider of a kind a manager uses. */

import type { ProviderKind, Providers } from '../contracts/providers.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { PROVIDERS } from '../options/providers.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

/**
 * The provider given in the options, else that of the shared store, else, without a shared store, that of the local one.
 *
 * @throws InvalidOptionError if there is none. With a shared store that has none, the local one is not used: its locks would exclude no
 *   other process, every process would admit the whole limit, and a session or a score would be known to one process only.
 */
export function providerOf<Kind extends ProviderKind>(
  kind: Kind,
  options: ResolvedManagerOptions,
): Providers[Kind] {
  type Brought = { readonly [Each in ProviderKind]?: Providers[Each] | undefined }
  const given: Brought = options
  const stores: Brought | undefined = options.remote ?? options.local
  const provider = given[kind] ?? stores?.[kind]
  if (provider !== undefined) return provider
  throw new InvalidOptionError({
    option: `createCacheManager.${kind}`,
    expected: `${PROVIDERS[kind].is}, because the stores given have none`,
    received: undefined,
  })
}
