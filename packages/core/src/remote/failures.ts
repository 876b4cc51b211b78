/** What the failure of a call tells about the store. */

import { type RefusalReason, StoreRefusedError } from '../errors/store-error.ts'

/** Why a store refuses writes while it answers reads. (One that became a replica does, too, but is not to be read from.) */
const REFUSED_WRITES: ReadonlySet<RefusalReason> = new Set(['full', 'not-durable', 'replicas'])

/** The store answers, and what it holds can be read: it only takes nothing new. */
export function isOfWrites(error: unknown): boolean {
  return error instanceof StoreRefusedError && REFUSED_WRITES.has(error.reason)
}

/** True for an error of faulty code, as opposed to a failure of what it talks to. `fetch` marks the latter by a cause. */
export function isDefect(error: unknown): boolean {
  if (error instanceof ReferenceError) return true
  return error instanceof TypeError && error.cause === undefined
}
