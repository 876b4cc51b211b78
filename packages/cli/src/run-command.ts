/** Which code runs which command of the table. */

import { runCaches } from './commands/caches.ts'
import { runClear } from './commands/clear.ts'
import { runDoctor } from './commands/doctor.ts'
import { runEvict } from './commands/evict.ts'
import { runEvictTag } from './commands/evict-tag.ts'
import { runExplain } from './commands/explain.ts'
import { runKeys } from './commands/keys.ts'
import { runLimits } from './commands/limits.ts'
import { runLocks } from './commands/locks.ts'
import { runNamespaces } from './commands/namespaces.ts'
import { runNodes } from './commands/nodes.ts'
import { runSessions } from './commands/sessions.ts'
import { runShow } from './commands/show.ts'
import { runStats } from './commands/stats.ts'
import { runWatch } from './commands/watch.ts'
import type { Session } from './connect/session.ts'

/** Runs a command; returns the exit code. */
export type Run = (session: Session) => Promise<number>

export const RUNS: Readonly<Record<string, Run>> = {
  namespaces: runNamespaces,
  stats: runStats,
  caches: runCaches,
  keys: runKeys,
  show: runShow,
  explain: runExplain,
  evict: runEvict,
  'evict-tag': runEvictTag,
  clear: runClear,
  locks: runLocks,
  limits: runLimits,
  sessions: runSessions,
  nodes: runNodes,
  watch: runWatch,
  doctor: runDoctor,
}

export function runCommand(name: string, session: Session): Promise<number> {
  const run = RUNS[name]
  if (run === undefined) throw new Error(`The command ${name} has no code`)
  return run(session)
}
