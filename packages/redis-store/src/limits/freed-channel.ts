/** Where everybody is told that something of a key was given back, so that nobody believes a refusal from before. */

import type { FreedListener } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { limitsChannel } from '../key-layout.ts'

/** No name of a limiter holds it. */
const SEPARATOR = ':'

export class FreedChannel {
  readonly #subscriber: Backend['subscriber']
  readonly #name: string
  #isHeard = false

  constructor({ subscriber, database }: Backend, namespace: string) {
    this.#subscriber = subscriber
    this.#name = limitsChannel(namespace, database)
  }

  /** What a script publishes, and where. */
  news(limiter: string, key: string): readonly [channel: string, message: string] {
    return [this.#name, limiter + SEPARATOR + key]
  }

  /** Passes on what is heard, from the first call on. `listener` is asked for each time: there may be none any more. */
  hear(listener: () => FreedListener | undefined): void {
    if (this.#isHeard) return
    this.#isHeard = true
    this.#subscriber.listen(this.#name, {
      onPayload: (payload) => {
        const message = payload.toString('utf8')
        const end = message.indexOf(SEPARATOR)
        listener()?.onFreed(message.slice(0, end), message.slice(end + 1))
      },
      onUp: () => listener()?.onDoubt(),
      onDown: () => listener()?.onDoubt(),
    })
  }

  close(): void {
    if (this.#isHeard) this.#subscriber.forget(this.#name)
  }
}
