/** Runs the scripts about periods of a calendar, for the period that the server's clock is in. */

import { StoreKeyError } from '@larder/core'
import { type PeriodRule, type PeriodsNow, periodsOf } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { ServerCalendar } from '../limits/server-calendar.ts'

const US_PER_MS = 1_000

export interface PeriodScriptsParts {
  readonly backend: Backend
  /** The server's clock as a test sets it, µs. */
  readonly nowUs?: (() => number) | undefined
}

export class PeriodScripts {
  readonly #parts: PeriodScriptsParts
  readonly #calendar = new ServerCalendar()

  constructor(parts: PeriodScriptsParts) {
    this.#parts = parts
  }

  /**
   * Runs a script. Its keys name periods, so a script that finds itself in another one says so, and is run again. The clock and the edges
   * of the period are put before its arguments.
   *
   * @returns the reply without its first word
   * @throws StoreKeyError for what the server answers about these keys
   */
  run(rule: PeriodRule, callFor: (periods: PeriodsNow) => ScriptCall): Promise<readonly unknown[]> {
    const nowUs = this.#parts.nowUs?.()
    return this.#calendar.reached(async () => {
      const atUs = nowUs ?? this.#calendar.serverUs
      const periods = periodsOf(rule).at(Math.floor(atUs / US_PER_MS))
      const edges = Number.isFinite(periods.from) ? [periods.from, periods.until] : ['', '']
      const call = callFor(periods)
      const args = [nowUs ?? '', ...edges, ...call.args]
      const [isReached, ...answer] = await this.#reply({ ...call, args })
      if (isReached === 1) return { answer }
      return { nowUs: numberOf(answer[0]) * US_PER_MS }
    })
  }

  async #reply(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(call)
    } catch (error) {
      const isAnswer = error instanceof Error && error.name === 'ReplyError'
      throw isAnswer ? new StoreKeyError(`boards.${call.script}`, error) : error
    }
  }
}

/** Until when something is kept, as scripts are told. */
export function keptUntilArg({ keptUntil }: PeriodsNow): number | string {
  return Number.isFinite(keptUntil) ? keptUntil : ''
}
