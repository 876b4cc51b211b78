/** Two signals as one, for a while. */

import { allowListeners } from '../lifecycle/allow-listeners.ts'

/**
 * Aborts when either does. `AbortSignal.any` would do, but on older Nodes keeps every signal it made for as long as the
 * longest-lived of its sources.
 */
export function linkSignals(
  own: AbortSignal,
  other: AbortSignal | undefined,
): { readonly signal: AbortSignal; unlink(): void } {
  if (other === undefined) return { signal: own, unlink: () => undefined }
  const joint = new AbortController()
  const sources = [own, other]
  allowListeners(other)
  const follow = (): void => joint.abort(sources.find(({ aborted }) => aborted)?.reason)
  for (const source of sources) source.addEventListener('abort', follow)
  if (sources.some(({ aborted }) => aborted)) follow()
  const unlink = (): void => {
    for (const source of sources) source.removeEventListener('abort', follow)
  }
  return { signal: joint.signal, unlink }
}
