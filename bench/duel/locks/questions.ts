/** What is asked of every lock, each on a Redis of its own: exclusion, order, and whether a holder is told what happened. */

import type { RedisServer } from '../../../test/support/redis/redis-server.ts'
import type { HeldView, LockContestant, LockEntry } from './contestants.ts'

export interface Answer {
  readonly text: string
  /** False where Larder's promise would be broken. */
  readonly isKept: boolean
}

export interface Question {
  readonly what: string
  ask(entry: LockEntry, redis: RedisServer): Promise<Answer>
}

const LEASE_MS = 1_000
/** Whoever has said nothing by then says nothing. */
const PATIENCE_MS = 6_000
/** For what takes as long as is promised, on a noisy machine. */
const ROOM_MS = 1_000
const CALLERS = 100
const WAITERS = 30

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const QUESTIONS: readonly Question[] = [
  { what: `${CALLERS} callers on two connections: most inside, failed`, ask: exclusion },
  { what: `${WAITERS} waiters: pairs out of order, time`, ask: order },
  {
    what: 'the event loop stood still past the lease: a check at once, the caller',
    ask: stoodStill,
  },
  { what: 'Redis hangs while held: told after, the caller', ask: hangsWhileHeld },
  { what: 'FLUSHALL while held: told after, the caller', ask: flushed },
  { what: 'Redis hangs: an acquire answers after', ask: acquireWhileItHangs },
  { what: 'a fence with every grant', ask: fence },
]

async function exclusion(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  return within(entry, redis, async (one, other) => {
    let [inside, most, failed] = [0, 0, 0]
    const call = async (n: number): Promise<void> => {
      const end = n % 2 === 0 ? one : other
      const work = async (): Promise<void> => {
        inside += 1
        most = Math.max(most, inside)
        await pause(1)
        inside -= 1
      }
      await end.run('k', { leaseMs: 10_000, waitMs: 60_000 }, work).catch(() => {
        failed += 1
      })
    }
    await Promise.all(Array.from({ length: CALLERS }, (_, n) => call(n)))
    return { text: `${most}, ${failed}`, isKept: most === 1 && failed === 0 }
  })
}

async function order(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  return within(entry, redis, async (one, other) => {
    const served: number[] = []
    const terms = { leaseMs: 10_000, waitMs: 60_000 }
    let begin = (): void => undefined
    let end = (): void => undefined
    const held = new Promise<void>((resolve) => (begin = resolve))
    const holder = one.run('k', terms, () => {
      begin()
      return new Promise<void>((resolve) => (end = resolve))
    })
    await held
    // Outside of the holder's work: calls within it would share in its lock.
    const waiting = [holder]
    for (let n = 0; n < WAITERS; n++) {
      const work = async (): Promise<void> => {
        served.push(n)
        await pause(5)
      }
      waiting.push((n % 2 === 0 ? one : other).run('k', terms, work))
      // So that they come one after the other.
      await pause(10)
    }
    const begunAt = performance.now()
    end()
    await Promise.all(waiting)
    const ms = Math.round(performance.now() - begunAt)
    let outOfOrder = 0
    for (const [at, n] of served.entries()) {
      for (const later of served.slice(at + 1)) if (later < n) outOfOrder += 1
    }
    const pairs = (WAITERS * (WAITERS - 1)) / 2
    return { text: `${outOfOrder} of ${pairs}, ${ms} ms`, isKept: outOfOrder === 0 }
  })
}

async function stoodStill(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  return within(entry, redis, async (one) => {
    let believes = true
    const ended = outcomeOf(
      one.run('k', { leaseMs: LEASE_MS, waitMs: 1_000 }, async (held) => {
        const until = performance.now() + 2 * LEASE_MS
        while (performance.now() < until);
        believes = held.believes()
      }),
    )
    const outcome = await inTime(ended)
    const text = `${believes ? 'still held' : 'lost'}, ${outcome}`
    return { text, isKept: !believes && outcome === 'LockLostError' }
  })
}

async function hangsWhileHeld(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  const { toldMs, outcome } = await toldOf(entry, redis, () => redis.pause())
  await redis.resume()
  const isKept = toldMs !== undefined && toldMs < LEASE_MS + ROOM_MS && outcome === 'LockLostError'
  return { text: `${saidMs(toldMs)}, ${outcome}`, isKept }
}

async function flushed(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  const { toldMs, outcome } = await toldOf(entry, redis, async () => {
    await redis.command('FLUSHALL')
  })
  const isKept = toldMs !== undefined && outcome === 'LockLostError'
  return { text: `${saidMs(toldMs)}, ${outcome}`, isKept }
}

async function acquireWhileItHangs(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  return within(entry, redis, async (one) => {
    await one.run('warm-up', { leaseMs: LEASE_MS, waitMs: 10_000 }, async () => undefined)
    await redis.pause()
    const begunAt = performance.now()
    const asked = outcomeOf(
      one.run('k', { leaseMs: LEASE_MS, waitMs: 1_000 }, async () => undefined),
    )
    const outcome = await inTime(asked)
    const ms = performance.now() - begunAt
    await redis.resume()
    const isKept = outcome === 'LockUnavailableError'
    return { text: ms < PATIENCE_MS ? `${Math.round(ms)} ms, ${outcome}` : outcome, isKept }
  })
}

async function fence(entry: LockEntry, redis: RedisServer): Promise<Answer> {
  return within(entry, redis, async (one) => {
    const fences: (number | undefined)[] = []
    const note = async (held: HeldView): Promise<void> => void fences.push(held.fence)
    for (let n = 0; n < 2; n++) await one.run('k', { leaseMs: LEASE_MS, waitMs: 5_000 }, note)
    const [first, second] = fences
    if (first === undefined || second === undefined) return { text: 'no', isKept: false }
    return { text: second > first ? 'yes' : 'does not rise', isKept: second > first }
  })
}

/** Holds a lock while something happens to it. */
async function toldOf(
  entry: LockEntry,
  redis: RedisServer,
  happen: () => Promise<void>,
): Promise<{ readonly toldMs: number | undefined; readonly outcome: string }> {
  return within(entry, redis, async (one) => {
    let toldMs: number | undefined
    const work = async (held: HeldView): Promise<void> => {
      await happen()
      const begunAt = performance.now()
      await new Promise<void>((resolve) => {
        held.onLost(() => {
          toldMs ??= performance.now() - begunAt
          resolve()
        })
        setTimeout(resolve, 3 * LEASE_MS)
      })
    }
    const ended = outcomeOf(one.run('k', { leaseMs: LEASE_MS, waitMs: 5_000 }, work))
    const outcome = await inTime(ended)
    return { toldMs, outcome }
  })
}

function saidMs(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${Math.round(ms)} ms`
}

function outcomeOf(work: Promise<void>): Promise<string> {
  return work.then(
    () => 'returned',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  )
}

function inTime(outcome: Promise<string>): Promise<string> {
  return Promise.race([outcome, pause(PATIENCE_MS).then(() => `none in ${PATIENCE_MS / 1_000} s`)])
}

/** Two ends, each with a connection of its own. */
async function within<Result>(
  entry: LockEntry,
  { url }: RedisServer,
  ask: (one: LockContestant, other: LockContestant) => Promise<Result>,
): Promise<Result> {
  const ends = [entry.start(url), entry.start(url)] as const
  try {
    return await ask(...ends)
  } finally {
    await Promise.allSettled(ends.map((end) => end.close()))
  }
}
