/** The plan of the house, as data: which folder of core stands on which floor, and what does not keep to the plan yet. */

/** The longest a product file may be, lines. */
export const MOST_LINES = 300

/** Files that are longer today, with their present length: it may only shrink, and a file that fits leaves the list. */
export const LONGER = {}

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
