/** Where a manager tells people that its state changed. */

import { InvalidOptionError } from '../errors/option-error.ts'

/** Takes lines for people: `console`, pino, winston or anything else with these methods. What they throw is dropped. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** The type of the warnings that are emitted where no logger is given, for `process.on('warning', …)`. */
const WARNING_TYPE = 'LarderWarning'

const LEVELS = ['info', 'warn', 'error'] as const

/** One warning of the process a line, which Node.js prints on stderr unless told otherwise. */
const warnings: Logger = {
  info: (message) => process.emitWarning(message, WARNING_TYPE),
  warn: (message) => process.emitWarning(message, WARNING_TYPE),
  error: (message) => process.emitWarning(message, WARNING_TYPE),
}

const silence: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

/**
 * Returns a logger that throws nothing.
 *
 * @throws InvalidOptionError unless it is a logger, `false` for silence, or `undefined` for warnings of the process.
 */
export function resolveLogger(logger: unknown, option: string): Logger {
  if (logger === undefined) return warnings
  if (logger === false) return silence
  const given = logger as Partial<Logger> | null
  const isLogger =
    (typeof given === 'object' || typeof given === 'function') &&
    LEVELS.every((level) => typeof given?.[level] === 'function')
  if (!isLogger) {
    throw new InvalidOptionError({
      option,
      expected: 'false or a logger: an object with the methods info, warn and error',
      received: logger,
    })
  }
  const call = (level: (typeof LEVELS)[number], message: string): void => {
    try {
      // An async one may reject as well, and that rejection would end the process.
      const outcome: unknown = (given as Logger)[level](message)
      if (outcome instanceof Promise) outcome.catch(() => undefined)
    } catch {
      // Deliberate: a log line about an operation must not break it.
    }
  }
  return {
    info: (message) => call('info', message),
    warn: (message) => call('warn', message),
    error: (message) => call('error', message),
  }
}
