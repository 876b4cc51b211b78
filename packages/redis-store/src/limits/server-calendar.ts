/** What time it is on the server, as far as is known here: for the part of a calendar that travels with a rule. */

/** A calendar that does not reach is sent anew by the server's own time; more often only if that jumps meanwhile. */
const TRIES = 3
const US_PER_MS = 1_000

/** An answer, or the server's time where the calendar that was sent along did not reach. */
export interface CalendarReply<Answer> {
  readonly answer?: Answer | undefined
  readonly nowUs?: number
}

export class ServerCalendar {
  /** How far the server's clock is ahead of this machine's, µs; corrected by what the server says. */
  #aheadUs = 0

  /** The server's time, roughly, µs. */
  get serverUs(): number {
    return Date.now() * US_PER_MS + this.#aheadUs
  }

  /** Asks until the calendar that is sent along reaches to the server's time, which a reply without an answer tells. */
  async reached<Answer>(ask: () => Promise<CalendarReply<Answer>>): Promise<Answer> {
    for (let tries = TRIES; ; tries--) {
      const { answer, nowUs = 0 } = await ask()
      if (answer !== undefined) return answer
      if (tries === 1) throw new Error('The server and this process cannot agree on a date')
      this.#aheadUs = nowUs - Date.now() * US_PER_MS
    }
  }
}
