/** What the caller of an eviction learns when the store could not be reached. */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import { RecoveryQueueError } from '../errors/store-error.ts'

/**
 * Waits for all of the evictions, so that none is still running when the caller goes on. An eviction that did not reach the store is
 * valid here and waits in the recovery queue; the policy says whether that is enough.
 *
 * @throws RecoveryQueueError with `'throw'`; and any error that is not a failure of the store, after which perhaps nothing was evicted.
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

/** The same for a caller that may be in a unit of work: there nothing has been evicted yet, and the unit remembers what the policy says. */
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
