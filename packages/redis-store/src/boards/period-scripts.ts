/** Runs the scripts about periods of a calendar, for the period that the server's clock is in. */

import { BoardOptionsError } from '@larder/core'
import { type PeriodRule, type PeriodsNow, periodsOf } from '@larder/core/store'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { ServerCalendar } from '../limits/server-calendar.ts'

const US_PER_MS = 1_000
/** The first words of replies; any other one says that it is another period. */
const REACHED = 1
const OTHER_RULE = 2

export interface PeriodScriptsParts {
  /** Runs a script on the boards' server. @throws StoreKeyError for what the server answers about these keys */
  readonly run: (call: ScriptCall) => Promise<readonly unknown[]>
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
   * @throws StoreKeyError for what the server answers about these keys; BoardOptionsError
   */
  run(rule: PeriodRule, callFor: (periods: PeriodsNow) => ScriptCall): Promise<readonly unknown[]> {
    const nowUs = this.#parts.nowUs?.()
    return this.#calendar.reached(async () => {
      const atUs = nowUs ?? this.#calendar.serverUs
      const periods = periodsOf(rule).at(Math.floor(atUs / US_PER_MS))
      const edges = Number.isFinite(periods.from) ? [periods.from, periods.until] : ['', '']
      const call = callFor(periods)
      const args = [nowUs ?? '', ...edges, ...call.args]
      const [reached, ...answer] = await this.#parts.run({ ...call, args })
      if (reached === REACHED) return { answer }
      if (reached === OTHER_RULE) throw new BoardOptionsError()
      return { nowUs: numberOf(answer[0]) * US_PER_MS }
    })
  }
}

/** Until when something is kept, as scripts are told. */
export function keptUntilArg({ keptUntil }: PeriodsNow): number | string {
  return Number.isFinite(keptUntil) ? keptUntil : ''
}
