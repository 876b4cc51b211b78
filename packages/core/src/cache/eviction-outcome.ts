/** What the caller of an eviction is told when the store could not be reached. */

import { ClosedError } from '../errors/closed-error.ts'
import { RecoveryQueueError } from '../errors/store-error.ts'

/**
 * Waits for an eviction. One that did not reach the store holds here and waits in the recovery queue; whether that is
 * enough is the policy's word.
 *
 * @throws RecoveryQueueError with `'throw'`; ClosedError in any case, because then nothing was done.
 */
export async function evictionOutcome(
  eviction: Promise<unknown>,
  onRemoteFailure: 'queue' | 'throw' | undefined,
  what: string,
): Promise<void> {
  try {
    await eviction
  } catch (error) {
    if (error instanceof ClosedError) throw error
    if (onRemoteFailure === 'throw') throw new RecoveryQueueError(what, error)
  }
}
