/** What a scope (a tenant, mostly) puts in front of every key. */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '../errors/option-error.ts'

const PLAIN = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * Returns the beginning of keys in the scope that holds now: it ends with the first `:` and contains no other, so that no two
 * scopes meet, whatever their keys are. Nothing without `scope`.
 *
 * @throws InvalidOptionError where there is no scope: a key without one would be everybody's
 */
export function scopePrefix(scope: (() => unknown) | undefined, where: string): string {
  if (scope === undefined) return ''
  const now = scope()
  const text = typeof now === 'number' || typeof now === 'bigint' ? String(now) : now
  if (typeof text !== 'string' || text === '' || text === 'NaN') {
    throw new InvalidOptionError({
      option: `the scope of ${where}`,
      expected: `a text or a number from its function, also where there is no tenant: return a word of its own there, such as 'none'`,
      received: now,
    })
  }
  return PLAIN.test(text) ? `${text}:` : `~${digestOf(text)}:`
}

function digestOf(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url')
}
