/** Changes the data of a session from what it is at that moment. */

import { UpdateConflictError } from '@larder/core'
import type { SessionCalls } from './session-calls.ts'
import { assertData } from './session-data.ts'
import type { SessionId } from './session-id.ts'

const MOST_TRIES = 20

/**
 * Tries again while others are faster. It is not a use: the session ends when it would have ended, unless `idleMs` says how long it is
 * to last without a use from now on.
 *
 * @throws SessionUnavailableError; UpdateConflictError; what `change` throws
 */
export async function updateSession<Data extends object>(
  calls: SessionCalls<Data>,
  at: SessionId,
  change: (data: Data) => Data | Promise<Data>,
  idleMs?: number,
): Promise<Data | undefined> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await calls.read(at, 0)
    if (found === undefined) return undefined
    const data = await change(found.data)
    assertData(data, 'sessions.update.change')
    const { kind } = await calls.save(at, data, {
      mode: 'update',
      expected: found.version,
      idleMs: idleMs ?? Math.max(1, found.endsAt - found.now),
    })
    if (kind === 'saved') return data
    if (kind === 'refused') return undefined
  }
  throw new UpdateConflictError('a session', MOST_TRIES)
}
