/** What a policy under measurement is: a bounded map that decides itself what to drop, as a local store would hold it. */

export type Key = string | number

export interface PolicyCache {
  /** Returns the value and counts as a use. */
  get(key: Key): object | undefined
  /** Stores a value that `get` has just not found; what it costs in room is the policy's business. */
  set(key: Key, value: object): void
  readonly size: number
}

export interface Policy {
  readonly name: string
  create(capacity: number): PolicyCache
}
