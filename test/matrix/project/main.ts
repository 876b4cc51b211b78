/** The program of a project that has no test runner. */

import { check } from './check.js'

check().then(
  (where) => console.log(`checked ${where}`),
  (error: unknown) => {
    console.error(error)
    // What it has open would keep it running.
    process.exit(1)
  },
)
