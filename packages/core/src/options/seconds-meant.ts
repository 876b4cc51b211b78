/**
 * Notices numbers that count milliseconds and were probably meant as seconds: `ttl: 300` is five minutes in most other
 * caches, and three tenths of a second here. It works, so only the database notices. Warns in development only.
 */

import type { Logger } from './logger.ts'

/** Few caches need less than a second, so a number below it was probably meant in seconds. */
const SHORT_MS = 1_000
/** 3600, 86400: whole multiples of ten minutes when read as seconds, and not whole seconds when read as milliseconds. */
const TEN_MINUTES_S = 600
/** How many subjects are remembered. */
const CAP = 1_000

/** Options that say how long something lives. Times to wait are usually given in milliseconds, also in other libraries. */
const LIVES = ['ttl', 'negativeTtl', 'staleWhileRevalidate', 'staleIfError'] as const

export type Lives = Readonly<Partial<Record<(typeof LIVES)[number], unknown>>>

export interface Windows {
  readonly per?: unknown
  readonly policies?: readonly { readonly per?: unknown }[] | undefined
}

export class SecondsMeant {
  readonly #namespace: string
  readonly #logger: Logger
  readonly #said = new Set<string>()

  constructor(namespace: string, logger: Logger) {
    this.#namespace = namespace
    this.#logger = logger
  }

  /** Checks the options of a cache; `where` names them in the warning. */
  lives(subject: string, options: Lives, where: string): void {
    for (const name of LIVES) this.look(subject, options[name], `${where}.${name}`)
  }

  /** Checks the windows of a limiter: `per: 60` limits next to nothing. */
  windows(options: Windows, where: string): void {
    const { policies = [] } = options
    for (const { per } of [options, ...policies]) this.look(where, per, `${where}.per`)
  }

  /** Checks one duration, and warns at most once per subject. */
  look(subject: string, value: unknown, option: string): void {
    if (typeof value !== 'number' || !looksLikeSeconds(value)) return
    if (this.#said.has(subject) || this.#said.size >= CAP) return
    this.#said.add(subject)
    this.#logger.warn(
      `Larder (${this.#namespace}): ${option} is ${value}, and a number counts milliseconds. If you meant seconds, write '${value}s'; if not, write '${value}ms'.`,
    )
  }
}

function looksLikeSeconds(value: number): boolean {
  if (value <= 0) return false
  return value < SHORT_MS || (value % TEN_MINUTES_S === 0 && value % SHORT_MS !== 0)
}
