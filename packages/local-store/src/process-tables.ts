/**
 * What all copies of this package in one process have in common: its locks, limits, sessions, boards, streams, write queues, events, topics and heartbeats, by namespace.
 *
 * A lock that two copies keep each for itself excludes nobody. Copies meet easily: two versions in node_modules, the ES and the
 * CommonJS build, a module that is evaluated again. So the tables stand under a global symbol, with a number for their shape.
 */

/** One for each shape of the tables. */
const SHAPE = 2
const PLACE = Symbol.for('@larder/local-store')

type Place = Record<string, Map<string, unknown> | undefined>

export type ProcessKind =
  | 'locks'
  | 'limits'
  | 'sessions'
  | 'boards'
  | 'streams'
  | 'structures'
  | 'writes'
  | 'events'
  | 'topics'
  | 'fleet'

/** What a namespace has, and who uses it. */
export interface Joined<Table, User> {
  readonly table: Table
  readonly users: Set<User>
}

/** Returns the tables of a kind, by namespace. */
export function processTables<Table, User>(kind: ProcessKind): Map<string, Joined<Table, User>> {
  const globals = globalThis as { [PLACE]?: Place }
  globals[PLACE] ??= {}
  const place = globals[PLACE]
  const name = `${kind} ${SHAPE}`
  place[name] ??= new Map()
  // Of this shape, because its number is in the name.
  return place[name] as Map<string, Joined<Table, User>>
}
