/** Two signals as one, for a while. */

import { onAbort } from './on-abort.ts'

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
  const forget = [own, other].map((source) => onAbort(source, () => joint.abort(source.reason)))
  const unlink = (): void => {
    for (const each of forget) each()
  }
  return { signal: joint.signal, unlink }
}
