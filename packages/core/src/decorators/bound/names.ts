/** Names made of class and method: which of them may change, and the warning when one changes its class. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import { warnOnce } from '../../lifecycle/shared-state.ts'
import type { MethodCacheProvider } from './method-cache.ts'
import type { Receiver } from './receiver.ts'

/** Minifiers give classes names of one to three characters, and different ones in the next build. */
const LONGEST_MINIFIED = 3

/** True when the label of a method may mean another class in the next build, or in another application. */
export function isFragile(label: string): boolean {
  const [name = '', definer] = label.split('^')
  const className = name.slice(0, Math.max(0, name.indexOf('.')))
  return isShort(className) || (definer !== undefined && isShort(definer))
}

/** Why a name of a class cannot stand for the class in a store that others share. */
export const FRAGILE =
  'may come from a minifier, which may give it to another class in the next build'

/**
 * @param option what has to be given instead of the name made of class and method
 * @throws InvalidOptionError when that name may mean another class in the next build, and the store is shared
 */
export function assertLasting(
  {
    provider,
    receiver: { label },
  }: { readonly provider: MethodCacheProvider; readonly receiver: Receiver },
  option: string,
  expected: string,
): void {
  if (provider.isShared !== true || !isFragile(label) || label.startsWith('.')) return
  throw new InvalidOptionError({
    option,
    expected: `${expected}, because the name of the class ${FRAGILE}`,
    received: undefined,
  })
}

function isShort(className: string): boolean {
  return className.length <= LONGEST_MINIFIED
}

/** Warns that a class was defined again and has replaced the older one. */
export function sayRenewed({ label }: Receiver): void {
  warnOnce(
    'LARDER_RELOADED',
    label,
    `${label} was defined once more by its file (hot reload, vi.resetModules) while the cache manager lives on: the newer ` +
      'class takes over the entries. Entries made by the older one stand until they expire.',
  )
}
