/** Answers of the user's callbacks, which nobody waits for. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'

/**
 * Returns an answer that is not a promise: a promise would not be awaited, and would count as true.
 *
 * @throws InvalidOptionError
 */
export function knownNow<Answer>(answer: Answer): Answer {
  if (!isThenable(answer)) return answer
  // It may be one that rejects.
  void Promise.resolve(answer).catch(() => undefined)
  throw new InvalidOptionError({
    option: 'the answer of a callback about keeping a result',
    expected: 'an answer at once, because nobody waits for a promise',
    received: answer,
  })
}
