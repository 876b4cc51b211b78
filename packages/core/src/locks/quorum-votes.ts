/**
 * The votes of several stores on one question. They are counted by what they say. A failure is not a vote: it decides only
 * where it leaves too few others for a majority. So a store that is down, and fails at once, does not shorten the time of
 * stores that are up and farther away.
 */

import { startTimer } from '../clock/system-clock.ts'
import type { CancelTimer } from '../contracts/clock.ts'

/** What one store said. */
export interface Vote<Result> {
  readonly value?: Result
  readonly error?: unknown
}

/** Once it is decided, stores that have not answered get at least this long. */
const SHORTEST_PATIENCE_MS = 5

/** More than half of them. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1
}

/**
 * Asks all. Resolves when all have answered, or when it is decided and the rest has had the same time again: a store that
 * hangs must not cost the caller its deadline.
 */
export async function askAll<Voter, Result>(
  voters: readonly Voter[],
  ask: (voter: Voter) => Promise<Result> | undefined,
  saysYes: (answer: Vote<Result>) => boolean,
): Promise<readonly Vote<Result>[]> {
  const answers: Vote<Result>[] = voters.map(() => ({}))
  const begunAt = performance.now()
  const count = new Count(voters.length)
  await new Promise<void>((resolve) => {
    let cancelPatience: CancelTimer | undefined
    const note = (at: number, answer: Vote<Result>): void => {
      answers[at] = answer
      count.note(saysYes(answer) ? 'yes' : 'error' in answer ? 'failed' : 'no')
      if (count.isComplete) {
        cancelPatience?.()
        resolve()
      } else if (count.isDecided) {
        const patienceMs = Math.max(SHORTEST_PATIENCE_MS, performance.now() - begunAt)
        cancelPatience ??= startTimer(patienceMs, resolve, 'caller')
      }
    }
    for (const [at, voter] of voters.entries()) {
      begin(() => ask(voter)).then(
        (value) => note(at, { value: value as Result }),
        (error: unknown) => note(at, { error }),
      )
    }
  })
  // A late answer must not change what was the basis of the decision.
  return [...answers]
}

class Count {
  readonly #voters: number
  readonly #majority: number
  #yes = 0
  #no = 0
  #failed = 0

  constructor(voters: number) {
    this.#voters = voters
    this.#majority = majorityOf(voters)
  }

  note(vote: 'yes' | 'no' | 'failed'): void {
    if (vote === 'yes') this.#yes += 1
    else if (vote === 'no') this.#no += 1
    else this.#failed += 1
  }

  get isComplete(): boolean {
    return this.#yes + this.#no + this.#failed === this.#voters
  }

  /**
   * True when a majority said yes, or a majority answered and yes is no longer possible, or too many failed for a majority
   * to answer. One no and one failure do not decide: the third answer says whether the lock is held or unknown.
   */
  get isDecided(): boolean {
    if (this.#yes >= this.#majority || this.#failed > this.#voters - this.#majority) return true
    const canSayYes = this.#voters - this.#no - this.#failed
    return this.#yes + this.#no >= this.#majority && canSayYes < this.#majority
  }
}

/** A store that throws counts as failed. */
async function begin<Result>(ask: () => Promise<Result> | undefined): Promise<Result | undefined> {
  return ask()
}
