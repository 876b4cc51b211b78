/** What every plugin is made of, whatever the manager that starts it offers; `Plugin` has that, too. */

import type { CodecStep } from './codec.ts'

export interface PluginParts {
  /** Shown in messages; the names of its events begin with it. */
  readonly name: string
  /** Steps over payload bytes, applied in order on writing. Their ids must be unique in a manager. */
  readonly codecSteps?: readonly CodecStep[] | undefined
  /** Names of the events that it emits, each beginning with its own name and a colon. */
  readonly events?: readonly string[] | undefined
  start?(host: never): void
  stop?(): void | Promise<void>
}
