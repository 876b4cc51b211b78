/** What the first item of an array means in a tagged tree. Part of the wire format: never renumber; 9 was an earlier error. */
export const TAG = {
  array: 0,
  undefined: 1,
  date: 2,
  bigint: 3,
  map: 4,
  set: 5,
  /** A string with lone surrogates, as UTF-16 bytes. */
  rawString: 6,
  negativeZero: 7,
  /** Bytes with the index of their class. */
  view: 8,
  /** Source, flags, and `lastIndex` unless that is 0. */
  regexp: 10,
  /** An object whose keys would be lost as map keys: names and values in turn. */
  object: 11,
  /** A registered class: its name and its encoded data. */
  type: 12,
  url: 13,
  /** The same for an object without a prototype. */
  nullObject: 14,
  /** An array with properties beside its items: how many items, the items, then names and values in turn. */
  arrayWith: 15,
  /** An object that occurred before, by its number in the order in which objects are finished. */
  again: 16,
  /** The class's name, then name, visibility and value of each property in turn. */
  error: 17,
} as const

/** The most levels a tree may have. */
export const MAX_DEPTH = 1_000
