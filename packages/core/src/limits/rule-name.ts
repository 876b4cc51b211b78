/** Names limiters without a name by their policies: limiters with the same policies share a name, others never do. */

import { createHash } from 'node:crypto'
import type { LimitPolicy } from '../contracts/rate-limit-provider.ts'

const MAX_NAME = 64
const DIGEST_LENGTH = 22

/** Returns a name such as `exact-100-60000000`. */
export function ruleName(policies: readonly LimitPolicy[]): string {
  const text = policies
    .map(wordsOf)
    .join('_')
    .replace(/[^A-Za-z0-9_.-]/g, '.')
  if (text.length <= MAX_NAME) return text
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_LENGTH)
  return `${text.slice(0, MAX_NAME - 1 - DIGEST_LENGTH)}-${digest}`
}

function wordsOf(policy: LimitPolicy): string {
  const { name, algorithm, ...numbers } = policy
  const words = [algorithm, ...Object.values(numbers)]
  return (name === 'default' ? words : [name, ...words]).join('-')
}
