/** The line of each event: its fields, its message, and whether there is a line at all. */

import type { CacheEvents } from '@larder/core'
import { inOneLine } from './said-errors.ts'
import type { LogLevel } from './sink.ts'

/** The events that have lines. None of them comes with each read. */
export type LoggedEvent =
  | 'outage'
  | 'trouble'
  | 'bus'
  | 'coherence'
  | 'breaker'
  | 'limit-breaker'
  | 'recovery-queue'
  | 'undecodable'
  | 'callback-error'
  | 'background-error'
  | 'too-large'
  | 'store-error'
  | 'bus-gap'
  | 'lock'

export interface Line {
  readonly level: LogLevel
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly error?: unknown
  readonly key?: string
  /** Lines of the same kind share one rate. Without a kind, the line is a change of state and is always written. */
  readonly kind?: string
}

type Lines = { readonly [Name in LoggedEvent]: (event: CacheEvents[Name]) => Line | undefined }

const QUIET_LOCKS: readonly CacheEvents['lock']['outcome'][] = ['granted', 'released', 'timeout']

/** The lines of one manager: they depend on the lines before. */
export function createLines(): Lines {
  const breakers = new Map<string, string>()
  let isWaiting = false
  let escalated: CacheEvents['recovery-queue']['escalated'] = 'none'

  const breaker = (whose: string, state: CacheEvents['breaker']['state']): Line | undefined => {
    // While a store is away, the breaker is half-open and open in turn. For readers that is one state.
    if (state === 'half-open' || (breakers.get(whose) ?? 'closed') === state) return undefined
    breakers.set(whose, state)
    const message = `circuit breaker of ${whose} is ${state}`
    return { level: state === 'open' ? 'warn' : 'info', message, fields: { state } }
  }
  return {
    outage: outageLine,
    trouble: ({ error }) => ({
      level: 'error',
      message: `the store is not used as it should be: ${inOneLine(error.message)}`,
      error,
    }),
    bus: ({ state, error }) => ({
      level: state === 'up' ? 'info' : 'warn',
      message: state === 'up' ? 'messages of other nodes are heard' : 'messages are not heard',
      fields: { state },
      ...(state === 'down' ? { error } : {}),
    }),
    coherence: ({ state }) => ({
      level: state === 'verified' ? 'info' : 'warn',
      message: state === 'verified' ? 'entries are verified' : 'entries cannot be verified',
      fields: { state },
    }),
    breaker: ({ state }) => breaker('the store', state),
    'limit-breaker': ({ state, provider }) => breaker(`the limit store ${provider}`, state),
    'recovery-queue': (queue) => {
      const isNews = queue.waiting > 0 !== isWaiting || queue.escalated !== escalated
      isWaiting = queue.waiting > 0
      escalated = queue.escalated
      if (!isNews) return undefined
      const message = isWaiting ? 'evictions wait for the store' : 'no evictions wait any more'
      return { level: isWaiting ? 'warn' : 'info', message, fields: { ...queue } }
    },
    ...ratedLines,
  }
}

function outageLine({ state, kind, message, ...counts }: CacheEvents['outage']): Line {
  const { durationMs, failedCalls, skippedCalls, wasNeverUp } = counts
  return {
    level: state === 'ended' ? 'info' : 'warn',
    message: `outage ${state} (${kind}): ${inOneLine(message)}`,
    fields: { state, kind, durationMs, failedCalls, skippedCalls, wasNeverUp },
  }
}

const ratedLines = {
  undecodable: ({ cache, key, reason, error, count }) => ({
    level: 'warn',
    message: `an entry could not be read (${reason})`,
    fields: { cache, reason, count },
    error,
    key,
    kind: `${cache} ${reason}`,
  }),
  'callback-error': ({ cache, key, option, error }) => ({
    level: 'warn',
    message: `a result was not kept: ${option} failed`,
    fields: { cache, option },
    error,
    key,
    kind: `${cache} ${option}`,
  }),
  'background-error': ({ task, error }) => ({
    level: 'warn',
    message: `a background task failed: ${task}`,
    fields: { task },
    error,
    kind: task,
  }),
  'too-large': ({ cache, key, bytes, maxBytes }) => ({
    level: 'warn',
    message: 'a value is too large for the shared tier',
    fields: { cache, bytes, maxBytes },
    key,
    kind: cache,
  }),
  'store-error': ({ operation, error, skipped }) => ({
    level: 'debug',
    message: `a call to the store ${skipped ? 'was skipped' : 'failed'}: ${operation}`,
    fields: { operation, skipped },
    error,
    kind: `${operation} ${skipped}`,
  }),
  'bus-gap': ({ partition, reason, recovered }) => ({
    level: 'debug',
    message: `messages are missing (${reason})`,
    fields: { partition, reason, recovered },
    kind: `${reason} ${recovered}`,
  }),
  lock: ({ key, outcome, durationMs, source }) => {
    if (QUIET_LOCKS.includes(outcome)) return undefined
    return {
      level: outcome === 'lost' ? 'error' : 'warn',
      message: `a lock: ${outcome}`,
      fields: { outcome, durationMs, source },
      key,
      kind: `${outcome} ${source}`,
    }
  },
} as const satisfies Partial<Lines>

export const LOGGED_EVENTS = Object.keys(createLines()) as LoggedEvent[]
