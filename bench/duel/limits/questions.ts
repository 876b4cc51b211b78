/** What limits are asked: whether they keep their word at the edges of windows, in waits and costs, and while Redis hangs. */

import { setTimeout as delay } from 'node:timers/promises'
import { type RedisServer, startRedis } from '../../../test/support/redis/redis-server.ts'
import {
  type LimitContestant,
  type LimitEntry,
  type LimitTerms,
  type Outcome,
  PAIRS,
} from './contestants.ts'

const TERMS: LimitTerms = { limit: 20, seconds: 1 }
const WINDOW_MS = 1_000
/** Attacks begin this long before a window that began with the first call ends, and go on this long after. */
const BEFORE_MS = 60
const ATTACKS = 3
const WAITS = 6
const PATIENCE_MS = 3_000
const SETTLE_MS = 200

/** One row of the table: a figure or a word for each contestant. */
export interface Answer {
  readonly text: string
  /** True where it is at least what Larder promises. */
  readonly isKept: boolean
}

export interface Question {
  readonly what: string
  ask(entry: LimitEntry, redis: RedisServer): Promise<Answer>
}

interface Admission {
  readonly sentAt: number
  readonly answeredAt: number
}

export const QUESTIONS: readonly Question[] = [
  {
    what: 'fullest second of 20 a second, attacked at the edges',
    async ask(entry, { url }) {
      const admissions = await within(entry.start(url, TERMS), attack)
      const fullest = fullestWindow(admissions)
      return { text: String(fullest), isKept: fullest <= (entry.most?.(TERMS) ?? TERMS.limit) }
    },
  },
  {
    what: 'refused after waiting exactly as told, alone (of 6)',
    async ask(entry, { url }) {
      const refused = await within(entry.start(url, TERMS), async (limiter) => {
        const each = Array.from({ length: WAITS }, (_, i) =>
          isRefusedAfterWaiting(limiter, `w${i}`),
        )
        return (await Promise.all(each)).filter((was) => was === true).length
      })
      return { text: String(refused), isKept: refused === 0 }
    },
  },
  {
    what: 'a cost above the limit',
    async ask(entry, { url }) {
      const outcome = await within(entry.start(url, TERMS), (limiter) =>
        limiter.consume('dear', TERMS.limit + 1),
      )
      return { text: inWords(outcome), isKept: outcome.kind === 'error' }
    },
  },
  {
    what: 'Redis hangs: an answer after, ms',
    async ask(entry, redis) {
      const ms = await within(entry.start(redis.url, TERMS), async (limiter) => {
        await limiter.consume('before')
        await redis.pause()
        try {
          return await answeredAfter(limiter)
        } finally {
          await redis.resume()
          await delay(SETTLE_MS)
        }
      })
      const isKept = ms !== undefined
      return { text: ms === undefined ? `none in ${PATIENCE_MS}` : ms.toFixed(0), isKept }
    },
  },
]

/** Ten refusals by one of two policies: what they cost the other. */
export async function costOfRefusals(url: string): Promise<readonly (readonly [string, number])[]> {
  const rows: (readonly [string, number])[] = []
  for (const { name, start } of PAIRS) {
    const both = start(url, { limit: 5, seconds: 60 }, { limit: 1_000, seconds: 60 })
    for (let i = 0; i < 15; i++) await both.consume('k')
    rows.push([name, (await both.counted('k')) - 5])
    await both.close()
  }
  return rows
}

/** Starts a server of its own for one contestant, so that none meets what another left. */
export async function withRedis<Result>(
  run: (redis: RedisServer) => Promise<Result>,
): Promise<Result> {
  const redis = await startRedis()
  try {
    return await run(redis)
  } finally {
    await redis.stop()
  }
}

async function within<Result>(
  limiter: LimitContestant,
  run: (limiter: LimitContestant) => Promise<Result>,
): Promise<Result> {
  // The first call connects, and is no part of the question.
  await limiter.consume('warm-up')
  try {
    return await run(limiter)
  } finally {
    await Promise.race([limiter.close(), delay(WINDOW_MS)])
  }
}

/** Opens a window with one call, and comes with all the rest around its end; so often. */
async function attack(limiter: LimitContestant): Promise<readonly Admission[]> {
  const admissions: Admission[] = []
  const call = async (): Promise<void> => {
    const sentAt = performance.now()
    const { kind } = await limiter.consume('attacked')
    if (kind === 'allowed') admissions.push({ sentAt, answeredAt: performance.now() })
  }
  const calls: Promise<void>[] = []
  for (let i = 0; i < ATTACKS; i++) {
    const openedAt = performance.now()
    await call()
    await delay(WINDOW_MS - BEFORE_MS - (performance.now() - openedAt))
    while (performance.now() < openedAt + WINDOW_MS + BEFORE_MS) {
      for (let n = 0; n < 5; n++) calls.push(call())
      await delay(4)
    }
    await delay(2 * WINDOW_MS)
  }
  await Promise.all(calls)
  return admissions
}

/** The most calls that were certainly admitted within one second: sent after it began, answered before it ended. */
function fullestWindow(admissions: readonly Admission[]): number {
  const counts = admissions.map(
    ({ sentAt: start }) =>
      admissions.filter(
        ({ sentAt, answeredAt }) => sentAt >= start && answeredAt <= start + WINDOW_MS,
      ).length,
  )
  return Math.max(0, ...counts)
}

/** Undefined when it was never refused. */
async function isRefusedAfterWaiting(
  limiter: LimitContestant,
  key: string,
): Promise<boolean | undefined> {
  for (let i = 0; i < 3 * TERMS.limit; i++) {
    const outcome = await limiter.consume(key)
    if (outcome.kind !== 'refused') continue
    const until = performance.now() + outcome.retryMs
    for (let left = outcome.retryMs; left > 0; left = until - performance.now())
      await delay(Math.ceil(left))
    return (await limiter.consume(key)).kind === 'refused'
  }
  return undefined
}

async function answeredAfter(limiter: LimitContestant): Promise<number | undefined> {
  const begunAt = performance.now()
  const call = limiter.consume('hung').then(() => performance.now() - begunAt)
  return Promise.race([call, delay(PATIENCE_MS).then(() => undefined)])
}

function inWords(outcome: Outcome): string {
  if (outcome.kind === 'error') return (outcome.error as Error).name
  return outcome.kind === 'allowed' ? 'allowed' : `retry in ${outcome.retryMs}`
}
