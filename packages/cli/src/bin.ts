#!/usr/bin/env node
/** The program `larder`. */

import { main } from './main.ts'

const interrupt = new AbortController()
// The second one ends the process as usual, should the first one not be enough.
process.once('SIGINT', () => interrupt.abort())
process.once('SIGTERM', () => interrupt.abort())

main({
  args: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
}).then(
  (code) => {
    process.exitCode = code
    // A terminal that was asked something would keep the process alive.
    process.stdin.destroy()
  },
  (error: unknown) => {
    throw error
  },
)
