/**
 * The history checker: what was invalidated when, and whether a result may still be read.
 *
 * Two kinds of facts bind the reads.
 *
 * An *acknowledgement*: an eviction, tag invalidation, clear or put returned to its caller. From then on, reads that start
 * on that node must not get what was loaded before the call (I1), whether the store could be reached or not.
 *
 * An *effect*: the store carried out an invalidation. What was loaded before that moment must not be read anywhere once the
 * grace of I3 is over (I2, I3): one message delay while nothing is wrong, `maxStaleness` otherwise. Effects count, not
 * calls, because an eviction that waits in a recovery queue promises other nodes nothing yet, and one that was thought to
 * have failed may well have happened.
 *
 * Loading *began* before the moment, not: read the source before it. That is more than freshness asks for, and it is what
 * the protocol says.
 */

import type { Origin } from './source.ts'

/** For how long a node remembers what it evicted, ms. */
const REMEMBERED_MS = 60_000

/** What an invalidation hits: `key a:k1`, `tag t0`. */
export type Target = string

export function keyTarget(fullKey: string): Target {
  return `key ${fullKey}`
}

export function tagTarget(tag: string): Target {
  return `tag ${tag}`
}

export interface Acknowledgement {
  readonly node: number
  readonly target: Target
  readonly calledAt: number
  readonly ackedAt: number
  /** The same in ms. */
  readonly ackedTime: number
  readonly isSoft: boolean
  /** A refresh replaces what was loaded; a put that began before it and comes after it replaces that again. */
  readonly isOfLoads?: boolean
}

export interface Effect {
  readonly target: Target
  /** The node that asked for it. */
  readonly node: number
  readonly at: number
  /** Server-independent time of the effect, ms. */
  readonly time: number
  /** What was loaded before this moment is invalidated. */
  readonly floor: number
  readonly isSoft: boolean
}

interface KnownEffect extends Effect {
  /** The same, or when the store lost it in a way that only other nodes can tell. */
  time: number
  /** A failover went back behind it. */
  isLost: boolean
  /** When that was. */
  lostAt: number
  /** Nobody can assert it again. */
  isForgotten: boolean
}

/** A read as it is judged. */
export interface JudgedRead {
  readonly node: number
  readonly what: string
  readonly startedAt: number
  readonly startedTime: number
  readonly endedTime: number
  /** How long the node's machine slept between a moment and the read's begin, ms. */
  readonly sleptSince: (time: number) => number
  /** How long after an effect other nodes may still serve the old value, ms. */
  readonly graceMs: number
  /**
   * How long after an acknowledgement other nodes may serve the old value, ms, whether the store could carry it out or
   * not: where messages arrive, others can be told. `undefined` where nobody has to know before the store does.
   */
  readonly wordMs: number | undefined
  /** True when a load of the key failed on this node so lately that a value kept for that may stand in for it. */
  readonly mayFallBack: boolean
  /** True when the cache keeps values for failing loads (`staleIfError`). */
  readonly keepsForErrors: boolean
}

export class Ledger {
  readonly #acknowledgements: Acknowledgement[] = []
  readonly #effects: KnownEffect[] = []
  readonly #dead = new Set<number>()
  #tagClockLostAt = 0

  acknowledge(acknowledgement: Acknowledgement): void {
    this.#acknowledgements.push(acknowledgement)
  }

  /** The store carried out an invalidation. */
  noteEffect(effect: Effect): void {
    this.#effects.push({ ...effect, isLost: false, lostAt: 0, isForgotten: false })
  }

  /** Whether the store changed the key after one moment and before another, in a way that it did not lose. */
  hasChanged(key: string, after: number, before: number): boolean {
    return this.#effects.some(
      ({ target, at, isLost }) => target === keyTarget(key) && at > after && at < before && !isLost,
    )
  }

  /** At `at` a failover went back to what was at `since`, for the targets concerned. */
  noteRollback(at: number, since: number, isConcerned: (target: Target) => boolean): void {
    for (const effect of this.#effects) {
      if (effect.at <= since || !isConcerned(effect.target)) continue
      effect.isLost = true
      effect.lostAt = at
      effect.isForgotten = effect.target.startsWith('tag') && effect.at < this.#tagClockLostAt
    }
  }

  /**
   * The store lost its tag clock. The one that follows begins with a floor over everything before, so the nodes forget the
   * tags that the floor covers. If then a failover brings the old clock back, the floor is gone, and nobody has the tags to
   * put back: two losses of the shared tier on top of each other, the second in the replication's favour. The nodes that
   * saw the floor keep to it; one that did not cannot know.
   *
   * `time`, ms: with a clock that was set back, it begins behind what entries were born at, and no floor covers them. Until a
   * node that knew the old one has synced, nobody can tell: so the grace counts from there.
   */
  noteTagClockLost(at: number, time: number, isBehind: boolean): void {
    this.#tagClockLostAt = at
    if (!isBehind) return
    for (const effect of this.#effects) {
      if (effect.target.startsWith('tag')) effect.time = time
    }
  }

  /** The node is gone, and with it what only it knew. */
  noteDeath(node: number): void {
    this.#dead.add(node)
  }

  /** Returns what a read's result breaks, in words; `undefined` when nothing. */
  judge(read: JudgedRead, origin: Origin): string | undefined {
    return (
      this.#unacknowledged(read, origin) ??
      this.#unheard(read, origin) ??
      this.#tooOld(read, origin)
    )
  }

  /** The same at rest, where nothing excuses a node from knowing. */
  judgeAtRest(read: JudgedRead, origin: Origin): string | undefined {
    const found = this.judge({ ...read, graceMs: 0 }, origin)
    if (found !== undefined || this.isForgotten(origin)) return found
    for (const ack of this.#acknowledgements) {
      // An eviction that never reached the store, of a node that died: it was in that node's memory only. The recovery
      // queue is kept in the process (docs/design/coherence.md); if the store carried it out, its effect counts below like any other.
      if (this.#dead.has(ack.node) || !isHitBy(ack, origin)) continue
      if (origin.countsFrom >= ack.calledAt || excuses(read, ack)) continue
      return `at rest: ${read.what}, begun at #${origin.begunAt}, although ${ack.target} was invalidated on n${ack.node}, called at #${ack.calledAt}`
    }
    return undefined
  }

  /** Tells whether something that hits the result was lost in a way that leaves nobody to assert it again. */
  isForgotten(origin: Origin): boolean {
    const isHit = this.#effects.some(
      ({ isForgotten, target }) => isForgotten && hits(target, origin),
    )
    return isHit || this.#isFilledAcross(origin)
  }

  /**
   * A failover lost what invalidated a load, and brought back the load's lease; its fill was sent before that, and arrived
   * after it. A connection does not outlast a failover, so only what forwards requests does that, and nobody can tell how old
   * the value is: the store says that it was written just now.
   */
  #isFilledAcross(origin: Origin): boolean {
    const { filled } = origin
    if (filled === undefined) return false
    return this.#effects.some(
      ({ isLost, lostAt, target }) =>
        isLost && hits(target, origin) && filled.sentAt < lostAt && filled.at > lostAt,
    )
  }

  #unacknowledged(read: JudgedRead, origin: Origin): string | undefined {
    for (const ack of this.#acknowledgements) {
      if (ack.node !== read.node || ack.ackedAt > read.startedAt) continue
      if (!isHitBy(ack, origin) || origin.countsFrom >= ack.calledAt) continue
      if (excuses(read, ack) || this.#isBeyondMemory(read, ack)) continue
      if (this.#isFilledAcross(origin) || this.#isOfOneInstant(origin, ack)) continue
      return `I1: ${read.what}, begun at #${origin.begunAt}, although this node invalidated ${ack.target}, called at #${ack.calledAt}, acknowledged at #${ack.ackedAt}, before the read began at #${read.startedAt}`
    }
    return undefined
  }

  /**
   * A failover lost a change and what somebody did to the key after it, and kept what was stored before them, all three in one
   * millisecond: the store's clock does not tell whether that came before or after. The next sync finds the loss.
   */
  #isOfOneInstant({ storedTime }: Origin, { target, node, calledAt }: Acknowledgement): boolean {
    if (storedTime === undefined) return false
    const changes = this.#effects.filter(
      (effect) => effect.target === target && isSameMs(effect.time, storedTime),
    )
    const own = changes.find((effect) => effect.node === node && effect.at >= calledAt)
    return own?.isLost === true && changes.some(({ at, node: by }) => at > own.at && by !== node)
  }

  #unheard(read: JudgedRead, origin: Origin): string | undefined {
    if (read.wordMs === undefined) return undefined
    for (const ack of this.#acknowledgements) {
      if (ack.node === read.node || !isHitBy(ack, origin) || excuses(read, ack)) continue
      const lateMs = read.startedTime - ack.ackedTime
      if (lateMs < read.wordMs || origin.countsFrom >= ack.calledAt) continue
      return `${read.what}, begun at #${origin.begunAt}, ${lateMs} ms after n${ack.node} had invalidated ${ack.target} (#${ack.ackedAt}), although messages arrive`
    }
    return undefined
  }

  #tooOld(read: JudgedRead, origin: Origin): string | undefined {
    for (const effect of this.#effects) {
      if (effect.isLost || effect.at > read.startedAt || !hits(effect.target, origin)) continue
      if (isOfWriter(effect, origin)) continue
      // A machine that slept cannot know: its deadlines count the time that it runs.
      const lateMs = read.startedTime - effect.time - read.sleptSince(effect.time)
      if (lateMs < read.graceMs || origin.countsFrom >= effect.floor) continue
      // A node that hears neither from the store nor from the source falls back on what `staleIfError` made it keep, and
      // cannot know whether that was evicted elsewhere. Whoever cannot have that leaves the option out.
      if (excuses(read, effect) || (read.mayFallBack && read.keepsForErrors)) continue
      return `I3: ${read.what}, begun at #${origin.begunAt}, ${lateMs} ms after the store invalidated ${effect.target} at #${effect.at} (grace ${read.graceMs} ms); the read began at #${read.startedAt}`
    }
    return undefined
  }

  /**
   * A failover can lose an acknowledged eviction. The node that evicted does not believe the old entry then, but it
   * remembers for a while only: what it evicted before may be back until it has noticed. Tags are another matter: a node
   * judges by its own mirror, which does not go back.
   */
  #isBeyondMemory({ endedTime }: JudgedRead, ack: Acknowledgement): boolean {
    if (ack.target.startsWith('tag') || endedTime - ack.ackedTime < REMEMBERED_MS) return false
    return this.#effects.some(
      ({ isLost, target, node, at }) =>
        isLost && target === ack.target && node === ack.node && at >= ack.calledAt,
    )
  }
}

function isHitBy({ target, isOfLoads }: Acknowledgement, origin: Origin): boolean {
  return hits(target, origin) && (isOfLoads !== true || origin.kind === 'load')
}

function isSameMs(one: number, other: number): boolean {
  return Math.floor(one) === Math.floor(other)
}

function hits(target: Target, { key, tags }: Origin): boolean {
  return target === keyTarget(key) || tags.some((tag) => target === tagTarget(tag))
}

/** A put, or refresh, that does not travel to the store evicts there what others put or loaded. */
function isOfWriter(
  { node, at }: Effect,
  { kind, isOfLocalRefresh, node: writer, begunAt, returnedAt }: Origin,
): boolean {
  if (kind === 'load' && !isOfLocalRefresh) return false
  if (node !== writer || at < begunAt) return false
  return returnedAt === undefined || at < returnedAt
}

/** A softly evicted value is kept for when loads fail, and may be served then. */
function excuses(read: JudgedRead, { isSoft }: { readonly isSoft: boolean }): boolean {
  return isSoft && read.mayFallBack
}
