/** Names limiters without a name by their policies: limiters with the same policies share a name, others never do. */

import { createHash } from 'node:crypto'
import type { LimitPolicy } from '../contracts/rate-limit-provider.ts'

const MAX_NAME = 64
const DIGEST_LENGTH = 22
/** Words that hold neither what separates them nor anything that a name must not. */
const PLAIN = /^[A-Za-z0-9]+$/

/**
 * Returns a name such as `exact-100-60000000`. It is readable where words and separators cannot be confused in it; otherwise it
 * ends with a digest of everything that the policies say.
 */
export function ruleName(policies: readonly LimitPolicy[]): string {
  const words = policies.map(wordsOf)
  const text = words.map((of) => of.join('-')).join('_')
  if (text.length <= MAX_NAME && words.flat().every((word) => PLAIN.test(word))) return text
  const said = JSON.stringify(words)
  const digest = createHash('sha256').update(said).digest('base64url').slice(0, DIGEST_LENGTH)
  const beginning = text.replace(/[^A-Za-z0-9_.-]/g, '.').slice(0, MAX_NAME - 1 - DIGEST_LENGTH)
  // The dot keeps it apart from what is readable.
  return `${beginning}.${digest}`
}

/** What a policy says, beginning with its name unless that is the default. The word after a name is an algorithm. */
function wordsOf(policy: LimitPolicy): readonly string[] {
  const { name, algorithm, ...numbers } = policy
  const words = [algorithm, ...Object.values(numbers).map(String)]
  return name === 'default' ? words : [name, ...words]
}
