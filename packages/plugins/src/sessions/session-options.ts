/** The options of sessions, and their checks. */

import { type Duration, InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  optionNames,
  orDefault,
  parseDuration,
  type SessionTerms,
} from '@larder/core/store'

/** A user as the application names one: its id. Numbers and their digits are the same user. */
export type SessionUser = string | number

export interface SessionOptions<Data extends object = Record<string, unknown>> {
  /**
   * Tells the sessions of one manager apart, such as those of customers and of staff. 1 to 64 of `A-Z a-z 0-9 _ . -`.
   * @default 'web'
   */
  readonly name?: string | undefined
  /** A session ends when it was not used for so long. 1 s to 400 days. @default '30m' */
  readonly idle?: Duration | undefined
  /** A session ends so long after its id was made, however much it is used. 1 min to 400 days. @default '7d' */
  readonly absolute?: Duration | undefined
  /**
   * A use is noted at most so often, so that not each request writes. A session may therefore end earlier than `idle` by as
   * much. 0 to half of `idle`. @default a tenth of `idle`
   */
  readonly touchEvery?: Duration | undefined
  /** How many sessions a user has at most; the one that would end first goes for a new one. 1 to 10 000. @default 100 */
  readonly maxPerUser?: number | undefined
  /**
   * Names the user that data belongs to, or `undefined` for nobody yet. It makes sessions that a framework saves known as those of
   * their user. @default only `create` and `login` say whose a session is
   */
  readonly userOf?: ((data: Data) => SessionUser | undefined | null) | undefined
  /**
   * Takes ids that were not made by `newId`, such as those of express-session without `genid`. They do not say when they were made, so
   * less is promised of them. @default false
   */
  readonly foreignIds?: boolean | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default '1s' */
  readonly storeTimeout?: Duration | undefined
}

const NAMES = optionNames<SessionOptions>({
  name: true,
  idle: true,
  absolute: true,
  touchEvery: true,
  maxPerUser: true,
  userOf: true,
  foreignIds: true,
  storeTimeout: true,
})

/** The defaults. */
export const SESSION_DEFAULTS = {
  name: 'web',
  idle: '30m',
  absolute: '7d',
  maxPerUser: 100,
  foreignIds: false,
  storeTimeout: '1s',
} as const satisfies SessionOptions

export interface ResolvedSessionOptions<Data extends object> {
  readonly terms: SessionTerms
  readonly idleMs: number
  readonly userOf: (data: Data) => SessionUser | undefined | null
  readonly foreignIds: boolean
}

const WHERE = 'createSessions'
const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const DAY_MS = 86_400_000
/** Browsers keep no cookie for longer. */
const MOST_MS = 400 * DAY_MS
/** A request that is slower than this cannot save a new session. */
const LATE_MS = 3_600_000
const MOST_USER_TEXT = 1_000

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveSessionOptions<Data extends object>(
  options: SessionOptions<Data>,
): ResolvedSessionOptions<Data> {
  assertKnownOptions(options, NAMES, WHERE)
  const sessions = orDefault(options.name, SESSION_DEFAULTS.name)
  if (typeof sessions !== 'string' || !NAME.test(sessions)) {
    const expected = '1 to 64 letters, digits, "_", "." or "-"'
    throw new InvalidOptionError({ option: `${WHERE}.name`, expected, received: sessions })
  }
  const { userOf, foreignIds } = options
  if (userOf !== undefined) assertFunction(userOf, `${WHERE}.userOf`)
  if (foreignIds !== undefined) assertBoolean(foreignIds, `${WHERE}.foreignIds`)
  const maxPerUser = orDefault(options.maxPerUser, SESSION_DEFAULTS.maxPerUser)
  assertInteger(maxPerUser, `${WHERE}.maxPerUser`, { min: 1, max: 10_000 })
  const { absoluteMs, idleMs, touchEveryMs } = resolveTimes(options)
  const timeout = orDefault(options.storeTimeout, SESSION_DEFAULTS.storeTimeout)
  return {
    terms: {
      rule: { sessions, absoluteMs, touchEveryMs, maxPerUser, lateMs: LATE_MS },
      timeoutMs: parseDuration(timeout, `${WHERE}.storeTimeout`, { min: 1, max: 60_000 }),
    },
    idleMs,
    userOf: userOf ?? (() => undefined),
    foreignIds: foreignIds ?? SESSION_DEFAULTS.foreignIds,
  }
}

function resolveTimes<Data extends object>({ idle, absolute, touchEvery }: SessionOptions<Data>) {
  const absoluteMs = parseDuration(
    orDefault(absolute, SESSION_DEFAULTS.absolute),
    `${WHERE}.absolute`,
    { min: 60_000, max: MOST_MS },
  )
  const idleMs = parseDuration(orDefault(idle, SESSION_DEFAULTS.idle), `${WHERE}.idle`, {
    min: 1_000,
    max: MOST_MS,
  })
  const touchEveryMs =
    touchEvery === undefined
      ? idleMs / 10
      : parseDuration(touchEvery, `${WHERE}.touchEvery`, { min: 0, max: idleMs / 2 })
  return {
    absoluteMs: Math.ceil(absoluteMs),
    idleMs: Math.ceil(idleMs),
    touchEveryMs: Math.floor(touchEveryMs),
  }
}

/** The user as text. @throws InvalidOptionError */
export function userText(user: unknown, option: string): string {
  const text = typeof user === 'number' && Number.isFinite(user) ? String(user) : user
  const isFine =
    typeof text === 'string' &&
    text.length > 0 &&
    text.length <= MOST_USER_TEXT &&
    text.isWellFormed()
  if (isFine) return text
  throw new InvalidOptionError({
    option,
    expected: `the id of a user: a number, or a text of 1 to ${MOST_USER_TEXT} characters`,
    received: user,
  })
}
