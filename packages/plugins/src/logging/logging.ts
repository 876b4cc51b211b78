/** Writes lines about the state of cache managers to a logger: one for each change of state, and a limited number for everything else. */

import { type AllEvents, type Duration, InvalidOptionError } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
  type Plugin,
  type PluginHost,
  parseDuration,
} from '@larder/core/store'
import { createLines, type Line, LOGGED_EVENTS, type LoggedEvent } from './lines.ts'
import { Pace } from './pace.ts'
import { hashOf, saidError } from './said-errors.ts'
import { assertSink, LOG_LEVELS, type LogLevel, type LogSink, writeTo } from './sink.ts'

export type { LoggedEvent } from './lines.ts'
export type { LogLevel, LogSink } from './sink.ts'

export interface LoggingOptions {
  /** pino, or a logger with the same methods: `warn(fields, message)`. */
  readonly logger: LogSink
  /** Another level for an event's lines, or `false` for none. @default the level that fits what happened */
  readonly levels?: Readonly<Partial<Record<LoggedEvent, LogLevel | false>>> | undefined
  /** Whether lines have keys: they may be personal data. `hash`: the same key has the same hash. @default 'off' */
  readonly keys?: 'off' | 'hash' | 'plain' | undefined
  /** What lines have of errors: `code` and name; or also `message`, which may contain anything that your code throws. @default 'code' */
  readonly errors?: 'code' | 'message' | undefined
  /** The period for `most`. 1 s to 1 h. @default '10s' */
  readonly every?: Duration | undefined
  /** The most lines of the same kind in a period; at its end, one line says how many more there were. 1 to 1000. @default 5 */
  readonly most?: number | undefined
}

/** The defaults. */
export const LOGGING_DEFAULTS = {
  keys: 'off',
  errors: 'code',
  every: '10s',
  most: 5,
} as const satisfies Partial<LoggingOptions>

const WHERE = 'logging'
const NAMES = optionNames<LoggingOptions>({
  logger: true,
  levels: true,
  keys: true,
  errors: true,
  every: true,
  most: true,
})
const PERIOD_BOUNDS = { min: 1_000, max: 3_600_000 }

type Levels = Readonly<Partial<Record<LoggedEvent, LogLevel | false>>>

type Resolved = Required<Pick<LoggingOptions, 'logger'>> & {
  readonly levels: Levels
  readonly keys: 'off' | 'hash' | 'plain'
  readonly errors: 'code' | 'message'
  readonly pace: { readonly periodMs: number; readonly most: number }
}

/**
 * Creates the plugin. It may serve several managers. The manager's own `logger` also reports outages: set `logger: false` beside this plugin.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', local, logger: false, plugins: [logging({ logger: pino() })] })
 */
export function logging(options: LoggingOptions): Plugin {
  const resolved = resolveLogging(options)
  const paces = new Map<PluginHost, Pace>()
  return {
    name: WHERE,
    start(host) {
      const pace = new Pace(host.clock, resolved.pace)
      paces.set(host, pace)
      listen(host, pace, resolved)
    },
    stop() {
      for (const [host, pace] of paces) {
        if (!host.manager.isClosed) continue
        pace.stop()
        paces.delete(host)
      }
    },
  }
}

function listen(host: PluginHost, pace: Pace, options: Resolved): void {
  const lines = createLines()
  for (const event of LOGGED_EVENTS) {
    const level = options.levels[event]
    if (level === false) continue
    host.on(event, (what: AllEvents[typeof event]) => {
      const line = (lines[event] as (what: unknown) => Line | undefined)(what)
      if (line === undefined) return
      const write = (heldBack: number): void => {
        const fields = fieldsOf(host, event, line, options)
        const more = heldBack > 0 ? { heldBack } : {}
        const message = `Larder (${host.namespace}): ${line.message}`
        writeTo(options.logger, level ?? line.level, { ...fields, ...more }, message)
      }
      if (line.kind === undefined) write(0)
      else pace.line(`${event} ${line.kind}`, write)
    })
  }
}

function fieldsOf(host: PluginHost, event: LoggedEvent, line: Line, options: Resolved): object {
  const { key, error, fields } = line
  const { namespace } = host
  return {
    namespace,
    event,
    ...fields,
    ...(key === undefined || options.keys === 'off'
      ? {}
      : { key: options.keys === 'hash' ? hashOf(namespace, key) : key }),
    ...('error' in line ? { err: saidError(error, options.errors === 'message') } : {}),
  }
}

function resolveLogging(options: LoggingOptions): Resolved {
  assertKnownOptions(options, NAMES, WHERE)
  const keys = orDefault(options.keys, LOGGING_DEFAULTS.keys)
  assertOneOf(keys, ['off', 'hash', 'plain'], `${WHERE}.keys`)
  const errors = orDefault(options.errors, LOGGING_DEFAULTS.errors)
  assertOneOf(errors, ['code', 'message'], `${WHERE}.errors`)
  const most = orDefault(options.most, LOGGING_DEFAULTS.most)
  assertInteger(most, `${WHERE}.most`, { min: 1, max: 1_000 })
  const every = orDefault(options.every, LOGGING_DEFAULTS.every)
  const levels = resolveLevels(options.levels)
  const used = LOG_LEVELS.filter(
    (level) => !['trace', 'debug'].includes(level) || Object.values(levels).includes(level),
  )
  assertSink(options.logger, `${WHERE}.logger`, used)
  return {
    logger: options.logger,
    levels,
    keys,
    errors,
    pace: { periodMs: parseDuration(every, `${WHERE}.every`, PERIOD_BOUNDS), most },
  }
}

function resolveLevels(given: LoggingOptions['levels']): Levels {
  const levels: unknown = given ?? {}
  const option = `${WHERE}.levels`
  if (typeof levels !== 'object' || levels === null || Array.isArray(levels)) {
    throw new InvalidOptionError({ option, expected: 'levels by event', received: levels })
  }
  for (const [event, level] of Object.entries(levels)) {
    if (!LOGGED_EVENTS.includes(event as LoggedEvent)) {
      const expected = `names of ${LOGGED_EVENTS.join(', ')}`
      throw new InvalidOptionError({ option, expected, received: event })
    }
    if (level !== false && level !== undefined) assertOneOf(level, LOG_LEVELS, `${option}.${event}`)
  }
  return levels
}
