/** What limiters admitted of one request, until its response is over. */

import type { Limiter, RateLimitVerdict } from '@larder/core'
import { INTERNALS } from '@larder/core/store'

interface Admission {
  readonly limiter: Limiter
  readonly verdict: RateLimitVerdict
  /** Ends the permits of `concurrency` policies. */
  readonly release: () => void
}

export class Admissions {
  readonly #admissions: Admission[] = []
  #isOver = false

  /** Some are under way until `end`, and so is the request. */
  get hasPermits(): boolean {
    return this.#admissions.some(({ verdict }) => hasPermit(verdict))
  }

  /** Permits are held from now on: before the request runs, another limiter may make it wait for longer than their term. */
  add(limiter: Limiter, verdict: RateLimitVerdict): void {
    const release = hasPermit(verdict) ? hold(limiter, verdict) : () => undefined
    this.#admissions.push({ limiter, verdict, release })
  }

  /** The request was not served: nothing of it counts. Resolves when that is so; never rejects. */
  async giveBack(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await Promise.all(
      this.#admissions.map(({ limiter, verdict, release }) => {
        release()
        return limiter[INTERNALS].giveBack(verdict)
      }),
    )
  }

  /** The request is over; what cost nothing in the end is given back. */
  end(isFree?: () => unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const { limiter, verdict, release } of this.#admissions) {
      release()
      if (isFree !== undefined) void limiter[INTERNALS].giveBack(verdict, isFree)
    }
  }
}

function hasPermit({ policies }: RateLimitVerdict): boolean {
  return policies.some(({ algorithm }) => algorithm === 'concurrency')
}

function hold(limiter: Limiter, verdict: RateLimitVerdict): () => void {
  let release = (): void => undefined
  const over = new Promise<void>((resolve) => {
    release = resolve
  })
  void limiter[INTERNALS].hold(verdict, () => over)
  return release
}
