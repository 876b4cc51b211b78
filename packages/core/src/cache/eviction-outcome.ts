/** What the caller of an eviction is told when the store could not be reached. */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import { RecoveryQueueError } from '../errors/store-error.ts'

/**
 * Waits for evictions, for all of them, so that none is still running when the caller goes on. One that did not reach the
 * store holds here and waits in the recovery queue; whether that is enough is the policy's word.
 *
 * @throws RecoveryQueueError with `'throw'`; in any case whatever is not the store's failure: then nothing may have been done.
 */
export async function evictionOutcome(
  evictions: readonly Promise<unknown>[],
  onRemoteFailure: 'queue' | 'throw' | undefined,
  what: string,
): Promise<void> {
  const errors = (await Promise.allSettled(evictions)).flatMap((end) =>
    end.status === 'rejected' ? [end.reason as unknown] : [],
  )
  const mistake = errors.find((error) => !(error instanceof EvictionQueued))
  if (mistake !== undefined) throw mistake
  const [queued] = errors
  if (queued instanceof EvictionQueued && onRemoteFailure === 'throw') {
    throw new RecoveryQueueError(what, queued.cause)
  }
}

/** The same for who may be in a unit of work: there nothing has been done yet, and the unit is told what is wanted. */
export async function evictionOutcomeOf(
  node: { unit(): { insist(): void } | undefined },
  evictions: readonly Promise<unknown>[],
  onRemoteFailure: 'queue' | 'throw' | undefined,
  what: string,
): Promise<void> {
  if (onRemoteFailure === 'throw') node.unit()?.insist()
  await evictionOutcome(evictions, onRemoteFailure, what)
}

/** @throws RecoveryQueueError with `'throw'`, when a put did not reach the store. */
export function assertReached(
  { cause }: { readonly cause?: unknown },
  onRemoteFailure: 'queue' | 'throw',
  what: string,
): void {
  if (cause !== undefined && onRemoteFailure === 'throw') throw new RecoveryQueueError(what, cause)
}
