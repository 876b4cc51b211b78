/** Answers of the user's callbacks, which nobody waits for. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'

/**
 * Passes on an answer that is no promise: nobody would wait for it, and it would count as a yes.
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
