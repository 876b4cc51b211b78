/** What all servers of these tests answer with, so that the frameworks can be told apart by nothing else. */

import { Readable } from 'node:stream'
import { type Deferred, deferred } from '../../support/eventually.ts'

/** What a handler does; a text is a body. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'stream'; readonly body: Readable }
  | { readonly kind: 'unknown' }

/** What the handler was asked, and what it waits for. */
export class Handler {
  /** Paths, in the order of requests that reached the handler. */
  readonly served: string[] = []
  readonly #gates = new Map<string, Deferred<void>>()

  /** What `/hold/name` and the rest of `/stream/name` wait for. */
  gate(name: string): Deferred<void> {
    const gate = this.#gates.get(name) ?? deferred()
    this.#gates.set(name, gate)
    return gate
  }

  /**
   * Handles a path: `/ok`, `/status/418`, `/throw`, `/hold/name`, `/stream/name`.
   *
   * @throws Error for `/throw`
   */
  async handle(path: string): Promise<Outcome> {
    this.served.push(path)
    const [, word, name = ''] = path.split('/')
    switch (word) {
      case 'ok':
        return { kind: 'answer', status: 200, body: 'ok' }
      case 'status':
        return { kind: 'answer', status: Number(name), body: name }
      case 'throw':
        throw new Error('The handler failed')
      case 'hold':
        await this.gate(name).promise
        return { kind: 'answer', status: 200, body: name }
      case 'stream':
        return { kind: 'stream', body: Readable.from(this.#parts(name)) }
      default:
        this.served.pop()
        return { kind: 'unknown' }
    }
  }

  async *#parts(name: string): AsyncGenerator<string> {
    yield 'first'
    await this.gate(name).promise
    yield 'second'
  }
}
