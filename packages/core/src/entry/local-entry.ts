/** An entry as the local tier holds it: the decoded value, its times on this node's monotonic clock, and what it stands on. */

/** What kind of result the entry remembers. */
export type EntryKind = 'value' | 'negative' | 'error'

/** Instants on the node's monotonic clock, ms. */
export interface EntryTimes {
  /** Until then a hit needs no thought: fresh, and the moment for an early refresh has not come. */
  readonly calmUntil: number
  readonly freshUntil: number
  /** Until then it may be served while one refresh runs. */
  readonly staleUntil: number
  /** Until then it may be served when loads fail. */
  readonly livesUntil: number
}

/** What the entry's coherence is judged by. */
export interface EntryStanding {
  /** Commit id of the remote entry it is a copy of; 0 when it is a copy of none. */
  readonly commit: number
  /** Tag clock known before its load began. */
  readonly birth: number
  readonly tags: readonly string[]
  readonly partition: number
  /** Sequence number of the partition that the value is known to include. */
  readonly seq: number
  /** Generation of the partition at that time; another one now means the entry is unverified. */
  readonly generation: number
  /** When it was last known good, on the node's monotonic clock. */
  readonly verifiedAt: number
}

const NEVER_CHECKED = -1

/** One entry of the local tier. Mutable where the engine re-judges it. */
export class LocalEntry {
  readonly value: unknown
  readonly kind: EntryKind
  readonly tags: readonly string[]
  readonly birth: number
  readonly partition: number
  readonly seq: number
  readonly loadMs: number
  commit: number
  generation: number
  verifiedAt: number
  calmUntil: number
  freshUntil: number
  staleUntil: number
  livesUntil: number
  /** Until then no new load is tried: the last one failed. */
  quietUntil = 0
  /** The coherence change counter at which it was last found valid. */
  checked = NEVER_CHECKED
  /** The resolved promise that hits share; made at the first hit. */
  promise: Promise<unknown> | undefined = undefined

  constructor(
    result: { readonly value: unknown; readonly kind: EntryKind; readonly loadMs: number },
    times: EntryTimes,
    standing: EntryStanding,
  ) {
    this.value = result.value
    this.kind = result.kind
    this.loadMs = result.loadMs
    this.tags = standing.tags
    this.birth = standing.birth
    this.partition = standing.partition
    this.seq = standing.seq
    this.commit = standing.commit
    this.generation = standing.generation
    this.verifiedAt = standing.verifiedAt
    this.calmUntil = times.calmUntil
    this.freshUntil = times.freshUntil
    this.staleUntil = times.staleUntil
    this.livesUntil = times.livesUntil
  }

  /** Ends freshness at once, keeping the value for when loads fail. */
  soften(): void {
    this.calmUntil = 0
    this.freshUntil = 0
    this.staleUntil = 0
  }
}
