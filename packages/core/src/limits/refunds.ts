/**
 * Gives admissions back, those of one tick together, and not too many at a time.
 *
 * Thousands of calls that wait for their turn give up at once when their server closes or a signal aborts. One by one, they
 * would make the store read and write everything about the key as many times, and keep its other clients waiting.
 */

import type { Admission, LimitRule } from '../contracts/rate-limit-provider.ts'

/** A longer step keeps the store's other clients waiting. */
const MOST_TOGETHER = 256

interface Pending {
  readonly rule: LimitRule
  readonly admission: Admission
  resolve(isGivenBack: boolean): void
  reject(error: unknown): void
}

type Send = (rule: LimitRule, admissions: readonly Admission[]) => Promise<readonly boolean[]>

export class Refunds {
  readonly #send: Send
  #pending: Pending[] = []
  readonly #sending = new Set<Promise<void>>()

  constructor(send: Send) {
    this.#send = send
  }

  /** @throws what the store rejects with */
  add(rule: LimitRule, admission: Admission): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ rule, admission, resolve, reject })
      if (this.#pending.length === 1) process.nextTick(() => this.#flush())
    })
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = []
    for (const steps of stepsOf(pending)) {
      const sending = this.#sendAll(steps).finally(() => this.#sending.delete(sending))
      this.#sending.add(sending)
    }
  }

  /** Resolves when everything was sent, successfully or not. */
  async idle(): Promise<void> {
    if (this.#pending.length > 0) this.#flush()
    await Promise.all(this.#sending)
  }

  /** One after the other, so that other calls get in between. */
  async #sendAll(steps: readonly (readonly Pending[])[]): Promise<void> {
    for (const [i, step] of steps.entries()) {
      const error = await this.#sendStep(step)
      if (error === undefined) continue
      // A failure of one step is a failure of all: the rest would only wait for the same.
      for (const { reject } of steps.slice(i + 1).flat()) reject(error.reason)
      return
    }
  }

  async #sendStep(step: readonly Pending[]): Promise<{ readonly reason: unknown } | undefined> {
    const [first] = step
    if (first === undefined) return undefined
    const admissions = step.map(({ admission }) => admission)
    let answers: readonly boolean[]
    try {
      answers = await this.#send(first.rule, admissions)
    } catch (reason) {
      for (const { reject } of step) reject(reason)
      return { reason }
    }
    for (const [i, { resolve }] of step.entries()) resolve(answers[i] === true)
    return undefined
  }
}

function turnOf({ admission }: Pending): number {
  return admission.nowUs + admission.waitUs
}

/** By rule and key, each in steps: a failure because of one key does not affect another. */
function stepsOf(pending: readonly Pending[]): readonly (readonly (readonly Pending[])[])[] {
  const byRule = new Map<LimitRule, Map<string, Pending[]>>()
  for (const each of pending) {
    const byKey = byRule.get(each.rule) ?? new Map<string, Pending[]>()
    byRule.set(each.rule, byKey)
    const ofKey = byKey.get(each.admission.key)
    if (ofKey === undefined) byKey.set(each.admission.key, [each])
    else ofKey.push(each)
  }
  return [...byRule.values()]
    .flatMap((byKey) => [...byKey.values()])
    .map((ofKey) => {
      // The last turn first: some algorithms can only take back a turn that no other follows.
      ofKey.sort((one, other) => turnOf(other) - turnOf(one))
      const steps: Pending[][] = []
      for (let i = 0; i < ofKey.length; i += MOST_TOGETHER)
        steps.push(ofKey.slice(i, i + MOST_TOGETHER))
      return steps
    })
}
