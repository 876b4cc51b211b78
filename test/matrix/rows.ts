/** The rows of the matrix: what is installed, what is laid down, what is run. */

import { commandLineRows } from './rows/command-line.ts'
import { compilerRows } from './rows/compilers.ts'
import { formatRows } from './rows/formats.ts'
import { frameworkRows } from './rows/frameworks.ts'
import { pageRows } from './rows/pages.ts'
import { runnerRows } from './rows/runners.ts'
import type { ToolSet } from './tools.ts'

/** One project. */
export interface Row {
  readonly name: string
  readonly tools: ToolSet
  /** In CI with every change; the others by hand or at night. */
  readonly isCore?: boolean
  /** The oldest Node.js that the tools run on; on an older one the row is left out, and said so. @default any that Larder runs on */
  readonly needsNode?: string | undefined
  /** Files of `project`, and what they are called there. */
  readonly sources: Readonly<Record<string, string>>
  /** How sources name each other: `./service.js`, or `./service` where the runner wants that. */
  readonly extensions?: 'js' | 'none'
  /** Which import brings the functions of the test runner. */
  readonly runner?: string
  /** Configuration and whatever else the project has. */
  readonly files: Readonly<Record<string, string>>
  readonly commands: readonly Command[]
}

export interface Command {
  /** A program of `node_modules/.bin`, or `node`; then its arguments. */
  readonly line: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /**
   * Run by npx from an empty folder, with the packed packages named to it: `line` is what npx runs. A user who has installed
   * nothing calls it so.
   */
  readonly byNpx?: boolean
  /** What the command has to print. */
  readonly prints?: string
}

export const ROWS: readonly Row[] = [
  ...pageRows,
  ...compilerRows,
  ...runnerRows,
  ...formatRows,
  ...frameworkRows,
  ...commandLineRows,
]
