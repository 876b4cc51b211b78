/** Announces the changes that a step of its node left waiting: the node learns with the reply that it owes this. */

import type { CancelTimer, Clock } from '../../contracts/clock.ts'
import type { RemoteOperation } from '../faults/remote-faults.ts'
import type { NodeLink } from './node-link.ts'
import type { Step } from './step.ts'

/** For how long a change waits to be announced, ms. */
const OWED_FOR_MS = 16
/** How long what waits is given: for its time to come, and for the way. */
export const ANNOUNCED_WITHIN_MS = OWED_FOR_MS + 50

/** What this needs of the server. */
interface Host {
  execute<Result>(namespace: string, run: (step: Step) => Result): Result
}

export class OwedAnnouncer {
  readonly #host: Host
  readonly #link: NodeLink
  readonly #clock: Clock
  #cancel: CancelTimer | undefined

  constructor(host: Host, link: NodeLink, clock: Clock) {
    this.#host = host
    this.#link = link
    this.#clock = clock
  }

  /** Sends a step; the node that leaves the first change waiting announces it later. */
  async request<Result>(
    namespace: string,
    operation: RemoteOperation,
    step: (step: Step) => Result,
  ): Promise<Result> {
    let isOwed = false
    const run = (): Result =>
      this.#host.execute(namespace, (each) => {
        const before = each.space.owed.length
        const result = step(each)
        isOwed = before === 0 && each.space.owed.length > 0
        return result
      })
    const result = await this.#link.request(operation, run)
    if (isOwed)
      this.#cancel ??= this.#clock.schedule(OWED_FOR_MS, () => this.#announce(namespace), 'caller')
    return result
  }

  close(): void {
    this.#cancel?.()
  }

  #announce(namespace: string): void {
    this.#cancel = undefined
    const send = (): void => this.#host.execute(namespace, (step) => step.sendOwed())
    this.#link.request('announce', send).catch(() => undefined)
  }
}
