/** The prefix that a scope (usually a tenant) adds to every key. */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '../errors/option-error.ts'

const PLAIN = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * Returns the beginning of keys in the present scope. It ends with its only `:`, so that keys of two scopes never collide.
 * Empty without `scope`.
 *
 * @throws InvalidOptionError where there is no scope: a key without one would be shared by everybody
 */
export function scopePrefix(scope: (() => unknown) | undefined, where: string): string {
  if (scope === undefined) return ''
  const now = scope()
  const text = typeof now === 'number' || typeof now === 'bigint' ? String(now) : now
  if (typeof text !== 'string' || text === '' || text === 'NaN') {
    throw new InvalidOptionError({
      option: `the scope of ${where}`,
      expected: `a text or a number from its function, also where there is no tenant: return a fixed word there, such as 'none'`,
      received: now,
    })
  }
  return PLAIN.test(text) ? `${text}:` : `~${digestOf(text)}:`
}

function digestOf(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url')
}
