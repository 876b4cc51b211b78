/** Changes to a key from outside, for all of its calls; for `Limiter`, where the methods are documented. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertInteger } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertConsumeOptions, type ConsumeOptions } from './consume-options.ts'
import type { Adjustment } from './limit-store.ts'
import type { LimitVariants } from './limit-variants.ts'
import { MOST } from './policy-options.ts'

interface ChangeParts {
  readonly variants: LimitVariants
  freed(limiter: string, key: string): void
}

const US_PER_MS = 1_000

export class KeyChanges {
  readonly #name: string
  readonly #parts: ChangeParts

  constructor(limiter: string, parts: ChangeParts) {
    this.#name = limiter
    this.#parts = parts
  }

  reset(key: Key): Promise<void> {
    return this.#changing(key, (text) => this.#parts.variants.any.decisions.reset(text))
  }

  async block(key: Key, time: Duration): Promise<void> {
    const us = parseDuration(time, `limiter(${this.#name}).block.time`) * US_PER_MS
    await this.#changing(key, (text) => this.#parts.variants.any.decisions.block(text, us))
  }

  async adjust(key: Key, adjustment: Adjustment, options: ConsumeOptions): Promise<number> {
    const { variants } = this.#parts
    const { how, points } = adjustment
    const option = `limiter(${this.#name}).${how}`
    assertConsumeOptions(options, option)
    const { self, args } = options
    assertInteger(points, `${option}.points`, { min: 0, max: MOST })
    const { policies } = variants.any.decisions.rule
    if (policies.every(({ algorithm }) => algorithm === 'concurrency')) {
      const expected = 'a policy other than "concurrency", whose permits belong to running calls'
      throw new InvalidOptionError({ option, expected, received: points })
    }
    const { decisions } = await variants.find({ self, args: args ?? [keyText(key)] })
    return this.#changing(key, (text) => decisions.adjust(text, adjustment))
  }

  /** Drops the refusals that a change makes untrue, before and after it; also those of questions under way. */
  async #changing<Result>(key: Key, change: (key: string) => Promise<Result>): Promise<Result> {
    const text = keyText(key)
    this.#parts.freed(this.#name, text)
    try {
      return await change(text)
    } finally {
      this.#parts.freed(this.#name, text)
    }
  }
}
