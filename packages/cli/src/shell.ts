/** What a command line runs in: the process, or in tests a stand-in for it. */

import type { Readable, Writable } from 'node:stream'

/** A stream to write to. Of a terminal, it says so and how wide it is. */
export type OutStream = Writable & { readonly isTTY?: boolean; readonly columns?: number }
export type InStream = Readable & { readonly isTTY?: boolean }

export interface Shell {
  /** Without the names of Node and of the program. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: InStream
  /** Data, and nothing else. */
  readonly stdout: OutStream
  /** What is said to people: questions, notes, errors. */
  readonly stderr: OutStream
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal
}
