/** The plan of the house, as data: which folder of core stands on which floor, and what does not keep to the plan yet. */

/** The longest a file of the product or of the support for tests may be, lines. */
export const MOST_LINES = 300

/**
 * Through how many files of core a decorated read may run, from the call until the caller has its value (`test/house/walk.ts`). It may
 * only get shorter: what a read needs anew finds its place in a file that is there, or another one goes.
 */
export const LONGEST_WALKS = { cold: 37, hit: 10 }

/** Files that are longer today, with their present length: it may only shrink, and a file that fits leaves the list. */
export const LONGER = { 'test/limits/support/promises.ts': 504 }

/**
 * Folders and outermost files of packages/core/src, from the ground up. A file may import from its own floor's folder and
 * from below.
 */
export const FLOORS = [
  'errors',
  'lifecycle',
  'events',
  'contracts',
  'clock',
  'values',
  'keys',
  'entry',
  'stats',
  'guard',
  'remote',
  'coherence',
  'options',
  'locks',
  'limits',
  'fleet',
  'boards',
  'writes',
  'cache',
  'sessions',
  'decorators',
  'manager',
  'testing',
  'store.ts',
  'index.ts',
]

/** Imports that run up all the same. One that is no longer there leaves the list; nothing is added. */
export const UPWARD = []
