/** Keys as people type them: full keys, or keys as Redis shows them. */

import { CommandFailure } from '../failure.ts'

/** The full key of what was typed. @throws CommandFailure for what cannot be one */
export function fullKeyFrom(text: string, namespace: string): string {
  const key = withoutPlace(text, namespace)
  if (/^[A-Za-z0-9_.-]{1,64}:./s.test(key)) return key
  throw new CommandFailure(
    'usage',
    `'${text}' is not a full key.`,
    'A full key is the name of the cache, a colon, and the key: products:42.',
  )
}

/** Returns a key as Redis shows it, `{shop:12}:products:42`, without the part in front. */
function withoutPlace(text: string, namespace: string): string {
  const start = `{${namespace}:`
  if (!text.startsWith(start)) return text
  const end = text.indexOf('}:')
  return end > 0 && /^\d{1,2}$/.test(text.slice(start.length, end)) ? text.slice(end + 2) : text
}
