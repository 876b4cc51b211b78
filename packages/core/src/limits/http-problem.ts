/** What a problem document (RFC 9457) says about a refused request; the types are those of draft-ietf-httpapi-ratelimit-headers. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertOneOf, assertText } from '../options/assert-option.ts'
import type { RateLimitVerdict } from './verdict.ts'

/**
 * `quota-exceeded`: the limit is used up. `abnormal-usage-detected`: the client is blocked. `temporary-reduced-capacity`: it is unknown
 * whether the limit is used up, and then nothing is admitted.
 */
export type RateLimitProblemType =
  | 'quota-exceeded'
  | 'abnormal-usage-detected'
  | 'temporary-reduced-capacity'

/** Part of a problem document (RFC 9457) about a refused request. */
export interface RateLimitProblem {
  readonly type: string
  readonly title: string
  readonly status: 429 | 503
  /** The policies that refused. Empty where the store could not say which. */
  readonly 'violated-policies': readonly string[]
}

const WHERE = 'rateLimitProblem'
const TYPES = 'https://iana.org/assignments/http-problem-types#'
const WORDS: Readonly<Record<RateLimitProblemType, Pick<RateLimitProblem, 'title' | 'status'>>> = {
  'quota-exceeded': {
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
  },
  'abnormal-usage-detected': {
    title: 'Request not satisfied due to detection of abnormal request pattern',
    status: 429,
  },
  'temporary-reduced-capacity': {
    title: 'Request cannot be satisfied due to temporary server capacity constraints',
    status: 503,
  },
}

/**
 * Returns what a problem document says about a refused call. Give the verdict that refused, or names of policies.
 *
 * @param type - `abnormal-usage-detected` by default for a verdict that is `blocked`, else `quota-exceeded`
 * @throws InvalidOptionError
 * @example response.status(429).type('application/problem+json').send(rateLimitProblem(verdict))
 */
export function rateLimitProblem(
  refused: (Pick<RateLimitVerdict, 'policy'> & { readonly blocked?: boolean }) | readonly string[],
  type: RateLimitProblemType = typeOf(refused),
): RateLimitProblem {
  const policies = policiesOf(refused)
  assertOneOf(type, Object.keys(WORDS), `${WHERE}.type`)
  return { type: TYPES + type, ...WORDS[type], 'violated-policies': policies }
}

function typeOf(refused: unknown): RateLimitProblemType {
  const { blocked } = (refused ?? {}) as { readonly blocked?: unknown }
  return blocked === true ? 'abnormal-usage-detected' : 'quota-exceeded'
}

function policiesOf(refused: unknown): readonly string[] {
  if (!Array.isArray(refused)) {
    const policy = (refused as { readonly policy?: unknown } | null | undefined)?.policy
    assertText(policy, `${WHERE}.verdict.policy`)
    return [policy as string]
  }
  const strange = refused.find((name) => typeof name !== 'string')
  if (strange === undefined) return [...new Set(refused as readonly string[])]
  const expected = 'a list of names of policies'
  throw new InvalidOptionError({ option: `${WHERE}.policies`, expected, received: strange })
}
