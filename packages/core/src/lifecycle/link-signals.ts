/** Joins two signals for a while. */

import { onAbort } from './on-abort.ts'

/**
 * Aborts when either does. `AbortSignal.any` would also work, but older Nodes keep every signal it made for as long as the
 * signal that lives longest.
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
