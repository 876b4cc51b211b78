/** A bus listener that keeps what it is told. */

import type { BusListener, BusMessage } from '../../contracts/bus.ts'

export class BusRecorder implements BusListener {
  readonly messages: BusMessage[] = []
  ups = 0
  doubts = 0
  downs = 0
  garbage = 0

  onMessage(message: BusMessage): void {
    this.messages.push(message)
  }

  onUp(): void {
    this.ups += 1
  }

  onDoubt(): void {
    this.doubts += 1
  }

  onDown(): void {
    this.downs += 1
  }

  onGarbage(): void {
    this.garbage += 1
  }

  /** Tells whether the end of a lease on this key was announced, by itself or by a change of the key. */
  wasWoken(key: string): boolean {
    return this.messages.some(
      (message) =>
        (message.kind === 'wake' && message.key === key) ||
        (message.kind === 'keys' && message.keys.includes(key)),
    )
  }
}
