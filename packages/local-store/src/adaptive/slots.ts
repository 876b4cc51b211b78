/**
 * The table of the adaptive store: one slot for each key that is remembered, whether its entry is held or not.
 *
 * Columns are arrays by slot, and links are numbers, so that remembering a key makes no object.
 */

export const NO_SLOT = -1
const FIRST_ROOM = 64

/** Bits of a slot's `marks`. */
export const MARK = {
  /** It has a place in the order of use: in its older half, if it is `old` too. */
  recent: 1,
  /** It is in the small queue, in the main one, or was in the small one lately. At most one of the three. */
  small: 2,
  main: 4,
  lately: 8,
  /** `get` has used it since somebody looked. */
  touched: 16,
  /** It was found used, and the order of use has not moved it yet. */
  reused: 32,
  /** It was found used while only one order knew it, and waits to enter the other. */
  behind: 64,
  old: 128,
} as const

const ANYWHERE = MARK.recent | MARK.small | MARK.main | MARK.lately

export class Slots<Entry extends object = object> {
  readonly entries: (Entry | undefined)[] = []
  /** Neighbours in the order of use. */
  readonly recency = new Links()
  /** Neighbours in the small queue, the main one, or the memory. */
  readonly queues = new Links()
  /** How often it was found used since it entered the small or main queue. */
  uses = new Uint8Array(FIRST_ROOM)
  readonly #keys: (string | undefined)[] = []
  readonly #byKey = new Map<string, number>()
  readonly #free: number[] = []
  #marks = new Uint8Array(FIRST_ROOM)
  #sizes: Float64Array | undefined

  constructor(measuresBytes: boolean) {
    this.#sizes = measuresBytes ? new Float64Array(FIRST_ROOM) : undefined
  }

  /** How many slots there are, free ones included: they are numbered from 0. */
  get count(): number {
    return this.#keys.length
  }

  /** `NO_SLOT` when the key is not remembered. */
  of(key: string): number {
    return this.#byKey.get(key) ?? NO_SLOT
  }

  /** Of a slot that is taken. */
  keyOf(slot: number): string {
    return this.#keys[slot] as string
  }

  /** Bytes of the entry that it holds or held; 0 where bytes are not measured. */
  sizeOf(slot: number): number {
    return this.#sizes === undefined ? 0 : (this.#sizes[slot] as number)
  }

  resize(slot: number, size: number): void {
    if (this.#sizes !== undefined) this.#sizes[slot] = size
  }

  /** Tells whether it has one of the marks. */
  has(slot: number, marks: number): boolean {
    return ((this.#marks[slot] as number) & marks) !== 0
  }

  mark(slot: number, marks: number): void {
    this.#marks[slot] = (this.#marks[slot] as number) | marks
  }

  unmark(slot: number, marks: number): void {
    this.#marks[slot] = (this.#marks[slot] as number) & ~marks
  }

  /** Tells whether an order or the memory still knows it. */
  isKnown(slot: number): boolean {
    return this.has(slot, ANYWHERE)
  }

  take(key: string): number {
    const slot = this.#free.pop() ?? this.#added()
    this.#keys[slot] = key
    this.#byKey.set(key, slot)
    return slot
  }

  release(slot: number): void {
    this.#byKey.delete(this.keyOf(slot))
    this.#keys[slot] = undefined
    this.entries[slot] = undefined
    this.#marks[slot] = 0
    this.uses[slot] = 0
    this.#free.push(slot)
  }

  #added(): number {
    const slot = this.#keys.length
    this.#keys.push(undefined)
    this.entries.push(undefined)
    if (slot >= this.#marks.length) this.#grow()
    return slot
  }

  #grow(): void {
    const room = this.#marks.length * 2
    this.#marks = grown(this.#marks, new Uint8Array(room))
    this.uses = grown(this.uses, new Uint8Array(room))
    if (this.#sizes !== undefined) this.#sizes = grown(this.#sizes, new Float64Array(room))
    this.recency.grow(room)
    this.queues.grow(room)
  }
}

/** For each slot its neighbours in the one queue that it is in. */
export class Links {
  newer = new Int32Array(FIRST_ROOM)
  older = new Int32Array(FIRST_ROOM)

  grow(room: number): void {
    this.newer = grown(this.newer, new Int32Array(room))
    this.older = grown(this.older, new Int32Array(room))
  }
}

function grown<Column extends Uint8Array | Int32Array | Float64Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from)
  return to
}
