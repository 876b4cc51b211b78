/** Answers of a server that is there but refuses. */

import { type RefusalReason, StoreRefusedError } from '@larder/core'
import { withoutCommand } from './redis-error.ts'

/**
 * The first words of refusals. Inside a script they come after others: up to Redis 6.2 as `ERR Error running script …:
 * -MISCONF …`, and for rights there in words of their own.
 */
const REASONS: readonly (readonly [RefusalReason, RegExp])[] = [
  ['readonly', /(?:^|[\s-])READONLY /],
  ['not-durable', /(?:^|[\s-])MISCONF /],
  ['replicas', /(?:^|[\s-])NOREPLICAS /],
  [
    'rights',
    /(?:^|[\s-])(?:NOPERM|NOAUTH|WRONGPASS) |ACL failure in script|The user executing the script/,
  ],
  ['full', /(?:^|[\s-])OOM |-OOM/],
  ['loading', /(?:^|[\s-])(?:LOADING|BUSY|MASTERDOWN) /],
  ['cluster', /(?:^|[\s-])(?:CLUSTERDOWN|TRYAGAIN) /],
]

/** The script and the line do not help a reader. */
const IN_SCRIPT = /\.? script: [0-9a-f]{40}, on @user_script:\d+\.?/

/** Why a server refused; `undefined` for any other error. */
export function refusalOf(error: unknown): RefusalReason | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof StoreRefusedError) return error.reason
  return REASONS.find(([, words]) => words.test(error.message))?.[0]
}

export function isRefusal(error: unknown): boolean {
  return refusalOf(error) !== undefined
}

/** A refusal in the form that the engine knows; other errors unchanged. */
export function refused(operation: string, error: unknown): unknown {
  const reason = refusalOf(error)
  if (reason === undefined || error instanceof StoreRefusedError) return withoutCommand(error)
  const words = (error as Error).message.replace(IN_SCRIPT, '')
  return new StoreRefusedError(operation, reason, words, withoutCommand(error))
}
