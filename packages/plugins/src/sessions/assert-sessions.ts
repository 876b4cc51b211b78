/** The check of the sessions that a subpath is given. */

import { InvalidOptionError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import type { Sessions } from './sessions.ts'

/** @throws InvalidOptionError for what `createSessions` did not make */
export function assertSessions<Data extends object>(
  sessions: Sessions<Data>,
  option: string,
): void {
  if (typeof sessions?.[INTERNALS]?.expectLogin === 'function') return
  const expected = 'sessions of createSessions'
  throw new InvalidOptionError({ option, expected, received: sessions })
}
