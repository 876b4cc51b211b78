/** Names made of class and method: which do not last, and what is said when one changes hands. */

import { warnOnce } from '../../lifecycle/shared-state.ts'
import type { Receiver } from './receiver.ts'

/** Minifiers give classes names of one to three characters, and others in the next build. */
const LONGEST_MINIFIED = 3

/** True when the label of a method may mean another class in the next build, or in another application. */
export function isFragile(label: string): boolean {
  const [name = '', definer] = label.split('^')
  const className = name.slice(0, Math.max(0, name.indexOf('.')))
  return isShort(className) || (definer !== undefined && isShort(definer))
}

function isShort(className: string): boolean {
  return className.length <= LONGEST_MINIFIED
}

/** Says that a class was defined once more and has taken over. */
export function sayRenewed({ label }: Receiver): void {
  warnOnce(
    'LARDER_RELOADED',
    label,
    `${label} was defined once more by its file (hot reload, vi.resetModules) while the cache manager lives on: the newer ` +
      'class takes over the entries. Entries made by the older one stand until they expire.',
  )
}
