/** Tags that a policy gives to every entry, beside those of the call. */

import { tagName } from '../coherence/tag-clock.ts'
import { assertTags } from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import type { ReadRules } from './read-call.ts'

/**
 * Adds the policy's tags to what a call says. They are asked for at the call, in its async context, because a load may be
 * kept for callers of several; when they cannot be had, it is as with a call's own: nothing is kept, and that is reported.
 */
export function withPolicyTags(rules: ReadRules, { tagsNow }: Policy, where: string): ReadRules {
  if (tagsNow === undefined) return rules
  try {
    const tags = tagsNow()
    assertTags(tags, `${where}.tags`)
    return { ...rules, tags: [...new Set([...tags.map(tagName), ...rules.tags])] }
  } catch (error) {
    const tagsOf = (): never => {
      throw error
    }
    return { ...rules, tagsOf }
  }
}
