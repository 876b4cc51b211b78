/** A write queue in memory, step by step as the Redis scripts do it. Time is given with every step, µs since the epoch, so that a test can set it. */

import type {
  BuryReply,
  BuryRequest,
  EnqueueReply,
  EnqueueRequest,
  NewWrite,
  PostponeRequest,
  QueueHold,
  QueueState,
  StepReply,
  TakenWrite,
  TakeReply,
  TakeRequest,
  WaitingWrite,
  WrittenKey,
} from '@larder/core/store'
import { LetterBox } from './letter-box.ts'

export type Part = TakenWrite['parts'][number]

/** What waits of a key, the oldest first. */
interface Item {
  parts: Part[]
  /** How many of them were taken; 0 for none. */
  taken: number
  tries: number
  /** Under which fence it was taken last; 0 where that is over. */
  fence: number
  /** How often a holder vanished while it had it, as far as that counts. */
  vanished: number
  vanishedAt: number
  due: number
  /** It failed, and waits for its next attempt: a hurry does not reach it. */
  isPostponed: boolean
}

const US_PER_MS = 1_000
const MOST_PARTS = 1_000
const MOST_BYTES = 8 * 1024 * 1024
/** How often a write is given out with others although a holder vanished then. */
const TOGETHER = 2
const MOST_AFTER_MS = 3_600_000

export class WriteTable {
  readonly #items = new Map<string, Item>()
  readonly letters = new LetterBox()
  #waiting = 0
  #version = 0
  #fence = 0
  #owner: string | undefined
  #heldUntil = 0
  #hurry = 0
  /** The last fence whose holder has vanished. */
  #gone = 0
  #acknowledgedAt = 0

  enqueue({ writes, delayMs, most }: EnqueueRequest, now: number): EnqueueReply {
    const more = this.#growth(writes)
    if (more > 0 && this.#waiting + more > most) return { kind: 'full', waiting: this.#waiting }
    const due = now + Math.ceil(delayMs) * US_PER_MS
    const versions = writes.map((write) => this.#put(write, due, now))
    return { kind: 'queued', versions, isOnDisk: false }
  }

  waiting(key: string): WaitingWrite | undefined {
    const parts = this.#items.get(key)?.parts ?? []
    const last = parts.at(-1)
    if (last === undefined) return undefined
    const { kind, version, bytes } = last
    const since = parts[0]?.version ?? version
    if (kind === 'merge') return { kind: 'several', version, since, bytes: new Uint8Array() }
    return { kind, version, since, bytes }
  }

  take({ owner, holdMs, most }: TakeRequest, now: number): TakeReply {
    const isHeld = this.#owner !== undefined && this.#heldUntil > now
    if (isHeld && this.#owner !== owner)
      return { kind: 'held', remainingMs: Math.ceil((this.#heldUntil - now) / US_PER_MS) }
    if (this.#owner !== undefined && this.#owner !== owner) this.#gone = this.#fence
    if (!isHeld) this.#fence = Math.max(this.#fence + 1, now)
    this.#owner = owner
    this.#heldUntil = now + Math.ceil(holdMs) * US_PER_MS
    const until = Math.max(now, this.#hurry)
    const due = [...this.#items]
      .filter(([, item]) => item.due <= (item.isPostponed ? now : until))
      .sort(byDue)
    if (due.length === 0) this.#hurry = 0
    const writes = this.#takeSome(due.slice(0, most), holdMs, now)
    let next = Number.POSITIVE_INFINITY
    for (const item of this.#items.values()) next = Math.min(next, item.due)
    const isNone = next === Number.POSITIVE_INFINITY
    const nextMs = isNone ? undefined : Math.max(0, Math.ceil((next - now) / US_PER_MS))
    return { kind: 'taken', fence: this.#fence, writes, nextMs }
  }

  renew(hold: QueueHold, holdMs: number, now: number): StepReply {
    if (!this.#holds(hold, now)) return 'lost'
    this.#heldUntil = now + Math.ceil(holdMs) * US_PER_MS
    return 'done'
  }

  acknowledge(hold: QueueHold, written: readonly WrittenKey[], now: number): StepReply {
    if (!this.#holds(hold, now)) return 'lost'
    for (const each of written) {
      const item = this.#takenItem(each)
      if (item === undefined) continue
      this.#dropTaken(each.key, item)
      this.#acknowledgedAt = now
    }
    return 'done'
  }

  postpone(hold: QueueHold, { keys, delayMs }: PostponeRequest, now: number): StepReply {
    if (!this.#holds(hold, now)) return 'lost'
    const due = now + Math.ceil(delayMs) * US_PER_MS
    for (const key of keys) {
      const item = this.#items.get(key)
      if (item === undefined) continue
      item.due = due
      item.isPostponed = true
    }
    return 'done'
  }

  bury(hold: QueueHold, request: BuryRequest, now: number): BuryReply {
    if (!this.#holds(hold, now)) return 'lost'
    const { key, id, error, most } = request
    const item = this.#takenItem(request)
    if (item === undefined) return 'newer'
    if (this.letters.size >= most) return 'full'
    const parts = item.parts.slice(0, item.taken)
    const isLast = item.taken === item.parts.length
    const letter = { id, key, error, buriedAt: Math.floor(now / US_PER_MS), parts }
    this.letters.add({ ...letter, tries: item.tries }, now, isLast)
    this.#dropTaken(key, item)
    return 'buried'
  }

  release(hold: QueueHold, now: number): void {
    if (!this.#holds(hold, now)) return
    this.#owner = undefined
    this.#heldUntil = 0
  }

  hurry(keys: readonly string[] | undefined, now: number): number {
    if (keys === undefined) {
      for (const { due, isPostponed } of this.#items.values())
        if (!isPostponed) this.#hurry = Math.max(this.#hurry, due)
    }
    for (const key of keys ?? []) {
      const item = this.#items.get(key)
      if (item === undefined || (item.due <= now && !item.isPostponed)) continue
      item.due = now
      item.isPostponed = false
    }
    return this.#version
  }

  state(version: number, now: number): QueueState {
    const oldest = [...this.#items.values()].map(({ parts }) => parts[0]?.version ?? 0)
    const first = oldest.length === 0 ? now : Math.min(...oldest)
    return {
      writes: this.#waiting,
      keys: this.#items.size,
      deadLetters: this.letters.size,
      upTo: oldest.filter((each) => each <= version).length,
      oldestMs: Math.max(0, Math.floor((now - first) / US_PER_MS)),
    }
  }

  /** Puts the parts of a dead letter back. Returns the version of the last. */
  replay(key: string, parts: readonly Part[], now: number): number {
    for (const { kind, bytes } of parts) this.#put({ key, kind, bytes }, now, now)
    return this.#version
  }

  #takeSome(
    due: readonly (readonly [string, Item])[],
    holdMs: number,
    now: number,
  ): readonly TakenWrite[] {
    const writes: TakenWrite[] = []
    let bytes = 0
    for (const [key, item] of due) {
      if (bytes >= MOST_BYTES) break
      if (this.#suspect(item, holdMs, now)) continue
      const isAlone = item.vanished >= TOGETHER
      if (isAlone && writes.length > 0) break
      const write = takeOne(key, item, this.#fence)
      writes.push(write)
      for (const part of write.parts) bytes += part.bytes.length
      if (isAlone) break
    }
    return writes
  }

  /** lua/write-take-8.lua says why. Returns whether others come first. */
  #suspect(item: Item, holdMs: number, now: number): boolean {
    if (item.fence === 0 || item.fence !== this.#gone) return false
    item.fence = 0
    const isAlone = item.vanished >= TOGETHER
    if (!isAlone || this.#acknowledgedAt >= item.vanishedAt) {
      item.vanished += 1
      item.vanishedAt = now
    }
    if (!isAlone) return false
    const afterMs = Math.min(MOST_AFTER_MS, Math.ceil(holdMs) * 2 ** (item.vanished - TOGETHER))
    item.due = now + afterMs * US_PER_MS
    item.isPostponed = true
    return true
  }

  #growth(writes: readonly NewWrite[]): number {
    const counts = new Map<string, number>()
    let more = 0
    for (const { key, kind } of writes) {
      const before = counts.get(key) ?? this.#items.get(key)?.parts.length ?? 0
      const after = kind === 'merge' ? before + 1 : 1
      more += after - before
      counts.set(key, after)
    }
    return more
  }

  #put({ key, kind, bytes }: NewWrite, due: number, now: number): number {
    this.#version = Math.max(this.#version + 1, now)
    const item = this.#items.get(key) ?? newItem(due)
    this.#items.set(key, item)
    if (kind !== 'merge' && item.parts.length > 0) {
      this.#waiting -= item.parts.length
      item.parts = []
      beginAnew(item)
    }
    item.parts.push({ kind, version: this.#version, bytes })
    if (!item.isPostponed) item.due = Math.min(item.due, due)
    this.#waiting += 1
    this.letters.outdate(key)
    return this.#version
  }

  #holds({ owner, fence }: QueueHold, now: number): boolean {
    return this.#owner === owner && this.#fence === fence && this.#heldUntil > now
  }

  #takenItem({ key, version }: WrittenKey): Item | undefined {
    const item = this.#items.get(key)
    const last = item === undefined ? undefined : item.parts[item.taken - 1]
    return last?.version === version ? item : undefined
  }

  #dropTaken(key: string, item: Item): void {
    this.#waiting -= item.taken
    item.parts.splice(0, item.taken)
    beginAnew(item)
    if (item.parts.length === 0) this.#items.delete(key)
  }
}

/** Redis orders equal times by the bytes of the keys. */
function byDue([a, one]: readonly [string, Item], [b, other]: readonly [string, Item]): number {
  if (one.isPostponed !== other.isPostponed) return one.isPostponed ? -1 : 1
  return one.due - other.due || Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function newItem(due: number): Item {
  const fresh = { parts: [], taken: 0, tries: 0, fence: 0, vanished: 0, vanishedAt: 0 }
  return { ...fresh, due, isPostponed: false }
}

/** Nothing of it is taken, and nothing is held against what comes next. */
function beginAnew(item: Item): void {
  item.taken = 0
  item.tries = 0
  item.fence = 0
  item.vanished = 0
  item.vanishedAt = 0
}

function takeOne(key: string, item: Item, fence: number): TakenWrite {
  if (item.taken === 0)
    item.taken = item.parts[0]?.kind === 'delete' ? 1 : Math.min(item.parts.length, MOST_PARTS)
  const vanished = Math.max(0, item.vanished - TOGETHER)
  const write = { key, tries: item.tries, vanished, parts: item.parts.slice(0, item.taken) }
  item.tries += 1
  item.fence = fence
  return write
}
