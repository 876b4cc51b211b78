/**
 * The source of truth: a database that keeps every version of every row, and where each cached result came from.
 *
 * Results carry an *origin*: the load or put that made them. The checks ask of a read only whose result it got and when that
 * load began; the engine cannot know that they exist.
 */

/** What an update was made from. */
export interface Basis {
  /** Its tries have this in common. */
  readonly operation: number
  /** The result that its callback was given; `undefined` for nothing. */
  readonly base: Origin | undefined
  /** It was told to have changed nothing. */
  isGivenUp: boolean
}

/** Where a result came from. */
export interface Origin {
  readonly id: number
  /** `cache:key`. */
  readonly key: string
  readonly node: number
  /** A `put` names what its writer knew before it made the value (`@CachePut`); a `set` writes in any case. */
  readonly kind: 'load' | 'put' | 'set' | 'update'
  /** The moment the load or put began, or the callback of the update. */
  readonly begunAt: number
  /**
   * What counts against invalidations: `begunAt`; for a `set`, the moment it was sent, or carried out if its caller still waited. What
   * an update made of another result is as old as that, and a little younger: what hits the one hits the other.
   */
  countsFrom: number
  /** A refresh began the load, whose result stays on its node: other nodes are told by an eviction. */
  readonly isOfLocalRefresh: boolean
  /** When the caller of a put, or of such a refresh, went on. */
  returnedAt: number | undefined
  /** For an update. */
  readonly basis: Basis | undefined
  /** The moment the store took it; `undefined` before. */
  storedAt: number | undefined
  /** When that was, ms; `undefined` before. */
  storedTime: number | undefined
  /** True for a `set` that the store carried out after its caller had gone on, being told that it might have failed. */
  isLate: boolean
  /** Between which moments the fill with it was on the way to the store; `undefined` before it was carried out. */
  filled: { readonly sentAt: number; readonly at: number } | undefined
  /** True once the store was heard to have stored a put. */
  isStored: boolean
  /** The version of the row it holds, once read; -1 before. */
  version: number
  /** True when the row was absent. */
  isNegative: boolean
  /** Everything an invalidation can hit it by, in the names of the tag table. */
  tags: readonly string[]
}

/** A value as the caches hold it. */
export interface Value {
  readonly key: string
  readonly version: number
  readonly origin: number
}

interface Row {
  version: number
  isAbsent: boolean
}

/** What a loader throws: it says, like a value, where it came from. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly origins: readonly number[]

  constructor(origins: readonly number[]) {
    super('The source failed')
    this.origins = origins
  }
}

/** Less than a moment, however often an update stands on another. */
const A_LITTLE = 1e-6

export class Source {
  readonly #rows = new Map<string, Row>()
  readonly #origins: Origin[] = []

  /** Writes a row's next version and returns it. */
  write(key: string, isAbsent: boolean): number {
    const row = this.#row(key)
    row.version += 1
    row.isAbsent = isAbsent
    return row.version
  }

  versionOf(key: string): number {
    return this.#row(key).version
  }

  /** Begins a load or put. */
  begin(
    origin: Pick<Origin, 'key' | 'node' | 'kind' | 'begunAt' | 'tags'>,
    { isOfLocalRefresh = false, basis }: { isOfLocalRefresh?: boolean; basis?: Basis } = {},
  ): Origin {
    const base = basis?.base
    const begun = {
      ...origin,
      isOfLocalRefresh,
      basis,
      countsFrom: base === undefined ? origin.begunAt : base.countsFrom + A_LITTLE,
      id: this.#origins.length,
      version: -1,
      isNegative: false,
      returnedAt: undefined,
      storedAt: undefined,
      storedTime: undefined,
      isLate: false,
      isStored: false,
      filled: undefined,
    }
    this.#origins.push(begun)
    return begun
  }

  /** Reads the row as it is now into an origin. */
  readInto(origin: Origin): Value | null {
    const row = this.#row(origin.key)
    origin.version = row.version
    origin.isNegative = row.isAbsent
    if (row.isAbsent) return null
    origin.tags = [...origin.tags, resultTag(row.version)]
    return { key: origin.key, version: row.version, origin: origin.id }
  }

  origin(id: number): Origin {
    const origin = this.#origins[id]
    if (origin === undefined) throw new RangeError(`There is no origin ${id}`)
    return origin
  }

  /**
   * The latest result "there is no such row" of a key, on one node or on any: `null` carries no origin, so it gets the
   * benefit of the doubt.
   */
  lastNegative(key: string, node?: number): Origin | undefined {
    return this.#origins.findLast(
      (origin) =>
        origin.key === key && origin.isNegative && (node === undefined || origin.node === node),
    )
  }

  #row(key: string): Row {
    const row = this.#rows.get(key) ?? { version: 1, isAbsent: false }
    this.#rows.set(key, row)
    return row
  }
}

/** The tag that is only known from the result. */
export function resultTag(version: number): string {
  return version % 2 === 0 ? 'even' : 'odd'
}
