/** Where lines go: a logger shaped as pino's, fields first. */

import { InvalidOptionError } from '@larder/core'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

type Write = (fields: object, message: string) => void

/** pino, or anything else with methods that take fields and a message. `trace` and `debug` are needed where a level names them. */
export interface LogSink {
  readonly trace?: Write
  readonly debug?: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** @throws InvalidOptionError unless it has a method for each of the levels that are used */
export function assertSink(sink: unknown, option: string, used: readonly LogLevel[]): void {
  const given = sink as Partial<LogSink> | null | undefined
  const missing = used.filter((level) => typeof given?.[level] !== 'function')
  if (missing.length === 0) return
  throw new InvalidOptionError({
    option,
    expected: `a logger such as pino, with the methods ${used.join(', ')} (fields, message)`,
    received: sink,
  })
}

/** Writes a line; what the logger throws, or rejects with, is dropped: a line about a cache must not break it. */
export function writeTo(sink: LogSink, level: LogLevel, fields: object, message: string): void {
  try {
    const answer: unknown = sink[level]?.(fields, message)
    if (answer instanceof Promise) answer.catch(() => undefined)
  } catch {
    // Deliberate: see the docstring.
  }
}
