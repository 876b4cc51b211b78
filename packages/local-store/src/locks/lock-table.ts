/**
 * Locks as the Redis scripts keep them, step by step, in memory: the in-process provider, and the model that the scripts
 * are compared with. Time is given with every step, in microseconds, so that a test can set it.
 *
 * Redis deletes by expiry. Here instead, a holder whose term has ended and a waiter without a sign of life are
 * dropped when the next step looks at the lock.
 */

import type { LockMode } from '@larder/core'

/** What is asked for; see `AcquireRequest` of the core package. */
export interface LockRequest {
  readonly name: string
  readonly mode: LockMode
  readonly owner: string
  readonly permits: number
  readonly weight?: number | undefined
  readonly termMs: number
  readonly heartbeatMs: number
}

/** One attempt to hold; see `LockTarget` of the core package. */
export type LockRequester = Pick<LockRequest, 'name' | 'mode' | 'owner' | 'weight'>

export type LockAnswer =
  | { readonly kind: 'granted'; readonly fence: number }
  | { readonly kind: 'held'; readonly retryInMs: number; readonly position: number }

export type Waker = (owner: string) => void

interface Waiter {
  readonly member: string
  /** When it is considered dead, µs. */
  aliveUntil: number
  heartbeatMs: number
}

interface LockRecord {
  /** Members and the ends of their terms, µs. All of one mode. */
  readonly holders: Map<string, number>
  /** In the order they came. */
  readonly queue: Waiter[]
  fence: number
}

const LETTERS: Readonly<Record<LockMode, string>> = { write: 'w', read: 'r', permit: 'p' }
/** The letter of those that hold several permits; their number and a comma follow. */
const SEVERAL = 'P'
const US_PER_MS = 1_000

export class LockTable {
  readonly #locks = new Map<string, LockRecord>()
  readonly #wake: Waker
  /** The highest fence of a lock that was forgotten. */
  #fenceFloor = 0

  constructor(wake: Waker) {
    this.#wake = wake
  }

  /** How many locks are held or waited for. */
  get size(): number {
    return this.#locks.size
  }

  acquire(request: LockRequest, nowUs: number): LockAnswer {
    const lock = this.#open(request.name)
    const member = memberOf(request)
    dropEnded(lock, nowUs)
    if (lock.holders.has(member)) {
      hold(lock, member, request.termMs, nowUs)
      // The only holder: the last fence is this owner's.
      const isOwn = request.mode === 'write' && lock.fence > 0
      return { kind: 'granted', fence: isOwn ? lock.fence : this.#mint(lock, nowUs) }
    }
    const head = headOf(lock, nowUs)
    const isTurn = head === undefined || head.member === member
    if (admits(lock, request) && isTurn) {
      const fence = this.#mint(lock, nowUs)
      hold(lock, member, request.termMs, nowUs)
      removeWaiter(lock, member)
      // The next waiter may fit beside this holder.
      if (request.mode !== 'write') this.#wakeHead(lock, nowUs)
      return { kind: 'granted', fence }
    }
    const answer = held(lock, request, head, nowUs)
    this.#close(request.name, lock)
    return answer
  }

  release(target: LockRequester, nowUs: number): boolean {
    const lock = this.#locks.get(target.name)
    if (lock === undefined || !lock.holders.delete(memberOf(target))) return false
    this.#wakeHead(lock, nowUs)
    this.#close(target.name, lock)
    return true
  }

  renew(target: LockRequester, termMs: number, nowUs: number): boolean {
    const lock = this.#locks.get(target.name)
    const endsAt = lock?.holders.get(memberOf(target))
    if (lock === undefined || endsAt === undefined || endsAt <= nowUs) return false
    hold(lock, memberOf(target), termMs, nowUs)
    return true
  }

  leave(target: LockRequester, nowUs: number): void {
    const lock = this.#locks.get(target.name)
    if (lock === undefined) return
    lock.holders.delete(memberOf(target))
    removeWaiter(lock, memberOf(target))
    this.#wakeHead(lock, nowUs)
    this.#close(target.name, lock)
  }

  inspect(
    name: string,
    nowUs: number,
  ): {
    readonly holders: readonly { readonly owner: string; readonly remainingMs: number }[]
    readonly fence: number
    readonly waiting: number
  } {
    const lock = this.#locks.get(name)
    if (lock === undefined) return { holders: [], fence: 0, waiting: 0 }
    const live = [...lock.holders]
      .filter(([, endsAt]) => endsAt > nowUs)
      .sort(([, a], [, b]) => a - b)
    return {
      holders: live.map(([member, endsAt]) => ({
        owner: ownerOf(member),
        remainingMs: Math.ceil((endsAt - nowUs) / US_PER_MS),
      })),
      fence: lock.fence,
      waiting: lock.queue.length,
    }
  }

  clear(): void {
    this.#locks.clear()
  }

  #open(name: string): LockRecord {
    const known = this.#locks.get(name)
    if (known !== undefined) return known
    const lock: LockRecord = { holders: new Map(), queue: [], fence: 0 }
    this.#locks.set(name, lock)
    return lock
  }

  /** Forgets a lock that nobody holds or waits for; its fence stays below every later one. */
  #close(name: string, lock: LockRecord): void {
    if (lock.holders.size > 0 || lock.queue.length > 0) return
    this.#fenceFloor = Math.max(this.#fenceFloor, lock.fence)
    this.#locks.delete(name)
  }

  #mint(lock: LockRecord, nowUs: number): number {
    const last = lock.fence > 0 ? lock.fence : this.#fenceFloor
    lock.fence = Math.max(last + 1, nowUs)
    return lock.fence
  }

  #wakeHead(lock: LockRecord, nowUs: number): void {
    const head = headOf(lock, nowUs)
    if (head !== undefined) this.#wake(ownerOf(head.member))
  }
}

function memberOf({ mode, owner, weight = 1 }: LockRequester): string {
  return mode === 'permit' && weight > 1 ? `${SEVERAL}${weight},${owner}` : LETTERS[mode] + owner
}

function ownerOf(member: string): string {
  return member.slice(member.startsWith(SEVERAL) ? member.indexOf(',') + 1 : 1)
}

function weightOf(member: string): number {
  return member.startsWith(SEVERAL) ? Number(member.slice(1, member.indexOf(','))) : 1
}

/** The term of a holder never becomes shorter. */
function hold(lock: LockRecord, member: string, termMs: number, nowUs: number): void {
  const endsAt = nowUs + termMs * US_PER_MS
  lock.holders.set(member, Math.max(endsAt, lock.holders.get(member) ?? 0))
}

function dropEnded(lock: LockRecord, nowUs: number): void {
  for (const [member, endsAt] of lock.holders) {
    if (endsAt <= nowUs) lock.holders.delete(member)
  }
}

/** All holders have the same mode, so the first one tells it. */
function admits({ holders }: LockRecord, { mode, permits, weight = 1 }: LockRequest): boolean {
  const [first] = holders.keys()
  if (first === undefined) return true
  if (mode === 'write' || !first.toLowerCase().startsWith(LETTERS[mode])) return false
  if (mode === 'read') return true
  // Each weighs at least 1.
  if (holders.size + weight > permits) return false
  let held = 0
  for (const member of holders.keys()) held += weightOf(member)
  return held + weight <= permits
}

/** Drops waiters at the head that gave no sign of life in time; returns the first live one. */
function headOf({ queue }: LockRecord, nowUs: number): Waiter | undefined {
  while (queue[0] !== undefined && queue[0].aliveUntil <= nowUs) queue.shift()
  const [head] = queue
  // Where the clock was set back, the waiter must show itself again.
  if (head !== undefined) head.aliveUntil = Math.min(head.aliveUntil, signEnd(head, nowUs))
  return head
}

/** How long a sign of life given now counts. */
function signEnd({ heartbeatMs }: Pick<LockRequest, 'heartbeatMs'>, nowUs: number): number {
  return nowUs + 2 * heartbeatMs * US_PER_MS
}

function removeWaiter({ queue }: LockRecord, member: string): void {
  const at = queue.findIndex((waiter) => waiter.member === member)
  if (at >= 0) queue.splice(at, 1)
}

function held(
  lock: LockRecord,
  request: LockRequest,
  head: Waiter | undefined,
  nowUs: number,
): LockAnswer {
  const member = memberOf(request)
  // The next change that comes by itself: a term ends, or the head is considered dead.
  const ends = [...lock.holders.values()]
  if (head !== undefined && head.member !== member) ends.push(head.aliveUntil)
  const untilMs = ends.length === 0 ? undefined : msUntil(Math.min(...ends), nowUs)
  const { heartbeatMs } = request
  if (heartbeatMs === 0) return { kind: 'held', retryInMs: untilMs ?? 1, position: -1 }
  const aliveUntil = signEnd(request, nowUs)
  const waiting = lock.queue.find((waiter) => waiter.member === member)
  if (waiting === undefined) lock.queue.push({ member, aliveUntil, heartbeatMs })
  else Object.assign(waiting, { aliveUntil, heartbeatMs })
  const position = lock.queue.findIndex((waiter) => waiter.member === member)
  return { kind: 'held', retryInMs: Math.min(untilMs ?? heartbeatMs, heartbeatMs), position }
}

function msUntil(at: number, nowUs: number): number {
  return Math.max(1, Math.ceil((at - nowUs) / US_PER_MS))
}
