/**
 * A bucket of `burst` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
 * In a window it lets in burst + ⌈window / interval⌉ - 1 at most.
 *
 * Under another interval the same time stands for another number of calls, so the state records under which it was written.
 * After a change the bucket keeps its debt in calls, as far as it can hold it. Until all calls that the old bucket admitted have
 * left the window, that many (the most it can have been) count beside what the new one admits. Turns after that time count too,
 * because the limit may be changed again before they come.
 */

import type { PolicyState, SmoothPolicy } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

interface Bucket {
  readonly intervalUs: number
  readonly burst: number
  readonly writtenUs: number
  readonly fullAt: number
  /** The latest admission, and its cost if it can be taken back: only the latest can. */
  readonly lastAt: number
  readonly lastCost: number
  /** What counts from before a change, with what was admitted since; and until when. */
  readonly carried: number
  readonly carriedUntil: number
}

export class SmoothMeter implements Meter<SmoothPolicy> {
  readonly size = 8
  #policy: SmoothPolicy
  #nowUs = 0
  #written: Bucket | undefined
  /** The window under which it was written. */
  #windowUs = 0
  /** What was written, as it is seen now. */
  #bucket: Bucket

  constructor(policy: SmoothPolicy) {
    this.#policy = policy
    this.#bucket = emptyBucket(policy)
  }

  get capacity(): number {
    return this.#policy.burst
  }

  get idleAt(): number {
    const { fullAt, lastAt, carriedUntil } = this.#written ?? emptyBucket(this.#policy)
    return lastAt === 0 ? fullAt : Math.max(fullAt, lastAt + this.#windowUs, carriedUntil)
  }

  get written(): readonly number[] {
    if (this.#written === undefined) return []
    const { fullAt, writtenUs, lastAt, lastCost, intervalUs, burst, carried, carriedUntil } =
      this.#written
    return [fullAt, writtenUs, lastAt, lastCost, intervalUs, burst, carried, carriedUntil]
  }

  look(policy: SmoothPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    this.#bucket = this.#written ?? emptyBucket(policy)
    const { writtenUs, intervalUs, burst } = this.#bucket
    const isMoved = writtenUs > nowUs
    const isChanged = intervalUs !== policy.intervalUs || burst !== policy.burst
    if (isMoved) this.#bucket = movedBack(this.#bucket, nowUs)
    if (isChanged) this.#bucket = adopted(this.#bucket, policy, nowUs)
    if (this.#bucket.carriedUntil <= nowUs)
      this.#bucket = { ...this.#bucket, carried: 0, carriedUntil: 0 }
    if (isMoved || isChanged) this.#write({})
  }

  earliest(cost: number): number {
    const { burst, intervalUs } = this.#policy
    const { fullAt, carried, carriedUntil } = this.#bucket
    const at = Math.max(this.#nowUs, fullAt + (cost - burst) * intervalUs)
    return at < carriedUntil && carried + cost > this.#most ? carriedUntil : at
  }

  take({ cost, atUs }: Taken): void {
    const { fullAt, lastAt, carried, carriedUntil } = this.#bucket
    this.#write({
      fullAt: Math.max(fullAt, atUs) + cost * this.#policy.intervalUs,
      lastAt: Math.max(lastAt, atUs),
      lastCost: atUs < lastAt ? 0 : cost,
      carried: carriedUntil > this.#nowUs ? carried + cost : 0,
    })
  }

  /** Empties the bucket and no more: otherwise a caller that keeps trying would stay refused for longer than a full refill. */
  penalize(cost: number): void {
    const { burst, intervalUs } = this.#policy
    const { fullAt } = this.#bucket
    const charged = Math.max(fullAt, this.#nowUs) + cost * intervalUs
    const emptied = Math.min(charged, this.#nowUs + burst * intervalUs)
    this.#write({ fullAt: Math.max(fullAt, emptied), lastCost: 0 })
  }

  standing(): PolicyState {
    const { burst, intervalUs } = this.#policy
    const { fullAt, carried, carriedUntil } = this.#bucket
    const missingUs = Math.max(0, fullAt - this.#nowUs)
    const left = Math.max(0, Math.floor(burst - missingUs / intervalUs))
    if (carriedUntil <= this.#nowUs) return { remaining: left, resetUs: missingUs }
    return {
      remaining: Math.max(0, Math.min(left, this.#most - carried)),
      resetUs: Math.max(missingUs, carriedUntil - this.#nowUs),
    }
  }

  /**
   * After a later admission it is unknown which part of the debt belongs to which call. Turns ahead follow each other without a
   * pause, so the last of them is known by its time; once it is given back, the one before it is the last.
   */
  refund({ cost, atUs }: Taken): boolean {
    const { fullAt, lastAt, lastCost, carried, carriedUntil } = this.#bucket
    const full = this.#policy.burst * this.#policy.intervalUs
    const isLastTurn = atUs > this.#nowUs && atUs === fullAt - full
    const isLast = isLastTurn || (lastAt === atUs && lastCost === cost)
    if (fullAt <= this.#nowUs || !isLast) return false
    const freeAt = fullAt - cost * this.#policy.intervalUs
    this.#write({
      fullAt: freeAt,
      lastAt: Math.min(lastAt, Math.max(this.#nowUs, freeAt - full, carriedUntil)),
      lastCost: 0,
      carried: Math.max(0, carried - cost),
    })
    return true
  }

  reward(points: number): number {
    const { intervalUs } = this.#policy
    const { fullAt, carried } = this.#bucket
    if (fullAt <= this.#nowUs) return 0
    const given = Math.min(points, Math.ceil((fullAt - this.#nowUs) / intervalUs))
    this.#write({
      fullAt: Math.max(this.#nowUs, fullAt - given * intervalUs),
      lastCost: 0,
      carried: Math.max(0, carried - given),
    })
    return given
  }

  /** What a window can get at most. */
  get #most(): number {
    const { burst, windowUs, intervalUs } = this.#policy
    return burst + Math.ceil(windowUs / intervalUs) - 1
  }

  #write(change: Partial<Bucket>): void {
    this.#bucket = { ...this.#bucket, ...change, writtenUs: this.#nowUs }
    this.#written = this.#bucket
    this.#windowUs = this.#policy.windowUs
  }
}

function emptyBucket({ intervalUs, burst }: SmoothPolicy): Bucket {
  const none = { writtenUs: 0, fullAt: 0, lastAt: 0, lastCost: 0, carried: 0, carriedUntil: 0 }
  return { intervalUs, burst, ...none }
}

/** The clock was set back: everything happened at least that much earlier on the new scale. */
function movedBack(bucket: Bucket, nowUs: number): Bucket {
  const by = bucket.writtenUs - nowUs
  return {
    ...bucket,
    writtenUs: nowUs,
    fullAt: Math.max(0, bucket.fullAt - by),
    lastAt: Math.max(0, bucket.lastAt - by),
    carriedUntil: Math.max(0, bucket.carriedUntil - by),
  }
}

/** The same bucket under another interval or burst. */
function adopted(bucket: Bucket, policy: SmoothPolicy, nowUs: number): Bucket {
  const { intervalUs, burst, windowUs } = policy
  const { fullAt, lastAt, carriedUntil } = bucket
  // A call that is still in the window came when the bucket had at least its present debt less than a window ago.
  const calls = Math.max(0, Math.ceil((fullAt - nowUs + windowUs) / bucket.intervalUs) - 1)
  const inWindow = lastAt + windowUs > nowUs ? calls : 0
  const from = Math.max(nowUs, lastAt)
  const debt = Math.ceil((Math.max(0, fullAt - from) * intervalUs) / bucket.intervalUs)
  return {
    intervalUs,
    burst,
    writtenUs: nowUs,
    fullAt: from + Math.min(debt, burst * intervalUs),
    lastAt,
    lastCost: bucket.lastCost,
    carried: carriedUntil > nowUs ? bucket.carried : inWindow,
    carriedUntil: lastAt + windowUs,
  }
}
