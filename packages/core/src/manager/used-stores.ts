/**
 * One store belongs to one manager, and so does one provider. Two managers would read each other's entries and mix up each other's names;
 * and the first of them to close would close it for both.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { shared } from '../lifecycle/shared-state.ts'
import { PROVIDER_KINDS } from '../options/providers.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

interface User {
  readonly namespace: string
  readonly isClosed: boolean
}

const users = shared.storeUsers as WeakMap<object, User>

/**
 * Takes the stores and providers of a manager into use.
 *
 * @throws InvalidOptionError when one is in use by another manager that is not closed.
 */
export function takeStores(options: ResolvedManagerOptions, user: User): void {
  const taken: (readonly [name: string, store: object | undefined])[] = [
    ['local', options.local],
    ['remote', options.remote],
    ...PROVIDER_KINDS.map((kind) => [kind, options[kind]] as const),
  ]
  for (const [name, store] of taken) {
    const other = store === undefined ? undefined : users.get(store)
    if (other === undefined || other.isClosed) continue
    throw new InvalidOptionError({
      option: `createCacheManager.${name}`,
      expected: 'one of its own, which no other cache manager uses (close that one first)',
      received: store,
      described: `that of the manager of ${other.namespace}`,
    })
  }
  for (const [, store] of taken) if (store !== undefined) users.set(store, user)
}
