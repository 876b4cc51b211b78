/**
 * A consumer: it fetches messages, lets the handler have them, and says what became of them.
 *
 * It never has more messages than it handles at a time, so none waits in this process while others are idle. Three things are kept apart,
 * because each may fail by itself: fetching (a loop with one read at a time, on a connection of its own), handling, and saying what
 * became of a message, which is tried until the store answers: a message that was handled must not come again only because the store
 * was away at the wrong moment.
 *
 * Between any two awaits the message may have become another consumer's. What changes something in the store is therefore decided there, in
 * one step, by who has the message.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import {
  keepContext,
  type StreamEntry,
  type StreamGroup,
  type StreamProvider,
} from '@larder/core/store'
import { ConsumerReports, type ConsumerStats } from './consumer-reports.ts'
import {
  type DeliveryEnd,
  type DeliveryParts,
  deliver,
  GivenUpError,
  type HeldMessage,
} from './delivery.ts'
import { HeldMessages } from './held-messages.ts'
import { MessageSource } from './message-source.ts'
import { Pauses } from './pauses.ts'

export interface ConsumerParts
  extends Pick<DeliveryParts, 'parts' | 'stream' | 'options' | 'handler'> {
  onClosed(): void
}

/** How long handlers have to end after their signals have aborted, ms. */
const ABORT_MS = 500

export class StreamConsumer implements AsyncDisposable {
  /** Its name in the group. */
  readonly instance: string
  readonly #parts: ConsumerParts
  readonly #delivery: DeliveryParts
  readonly #group: StreamGroup
  readonly #source: MessageSource
  readonly #held: HeldMessages
  readonly #reports: ConsumerReports
  readonly #pauses: Pauses
  readonly #loop: Promise<void>
  /** Which message's handler is running. */
  readonly #current = new AsyncLocalStorage<HeldMessage>()
  #isStopping = false
  #isGivingUp = false
  #closing: Promise<void> | undefined

  /** Use `stream.handle`. */
  constructor(consumer: ConsumerParts) {
    const { parts, stream, options, handler } = consumer
    this.#parts = consumer
    this.#group = { stream: stream.rule.stream, group: options.group }
    this.instance = options.instance ?? randomUUID()
    this.#delivery = {
      parts,
      stream,
      options,
      handler,
      context: keepContext(),
      current: this.#current,
      isClosing: () => this.#isStopping,
      insist: (held, operation, call) => this.#insist(held, operation, call),
    }
    this.#reports = new ConsumerReports(parts.events, this.#group)
    this.#pauses = new Pauses(parts.clock)
    this.#held = new HeldMessages({
      clock: parts.clock,
      visibilityMs: options.visibilityMs,
      keep: (entries) => this.#keep(entries),
      onLost: (held) => this.#reports.lost(held.entry),
    })
    this.#source = new MessageSource({
      parts,
      group: this.#group,
      instance: this.instance,
      options,
      timeoutMs: stream.timeoutMs,
      held: this.#held,
      reports: this.#reports,
      isStopping: () => this.#isStopping,
      onEntry: (entry) => this.#begin(entry),
    })
    const takeBack = parts.store.beforeClose(() => this.#closeAll())
    const close = (): void => void this.#closeAll()
    options.signal?.addEventListener('abort', close, { once: true })
    this.#loop = this.#run().finally(() => {
      takeBack()
      options.signal?.removeEventListener('abort', close)
      this.#source.tellReady()
    })
    if (options.signal?.aborted === true) close()
  }

  /** Resolves once the group is there, or the consumer was closed: what is added from then on is delivered, also with `from: 'new'`. */
  ready(): Promise<void> {
    return this.#source.ready
  }

  /** What this consumer has done so far, and how many messages it has now. */
  stats(): ConsumerStats {
    return this.#reports.stats(this.#held.size)
  }

  /**
   * Takes nothing more, waits for handlers that are under way (`closeTimeout`), and hands back what they did not finish. No message
   * is lost. Never rejects; calling it again returns the same promise. From within a handler it waits for the other ones only, so that
   * a handler that waits for it comes to its end.
   */
  close(): Promise<void> {
    const closing = this.#closeAll()
    const caller = this.#current.getStore()
    return caller === undefined || !this.#held.has(caller) ? closing : this.#othersEnded(caller)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#isStopping) {
      try {
        const free = this.#parts.options.concurrency - this.#held.size
        if (free > 0) await this.#source.fetch()
        else await this.#held.dropped()
        failures = 0
      } catch {
        // The store told its event.
        failures += 1
        await this.#pauses.afterFailures(failures)
      }
    }
  }

  #begin(entry: StreamEntry): void {
    // After an answer that came late there may be more than was asked for.
    const hasRoom = this.#held.size < this.#parts.options.concurrency
    const held = this.#held.take(entry)
    if (held === undefined) return
    void this.#handle(held, hasRoom).finally(() => this.#held.drop(held))
  }

  #keep(entries: readonly string[]): Promise<readonly string[]> {
    const { parts, stream, options } = this.#parts
    // An answer that takes longer than it is until the next time is of no use, and other calls that failed say nothing about this one.
    const timeoutMs = Math.min(stream.timeoutMs, options.visibilityMs / 3)
    return parts.store.insist('keep', timeoutMs, (provider) =>
      provider.keep(this.#group, this.instance, entries),
    )
  }

  /** Never rejects. */
  async #handle(held: HeldMessage, hasRoom: boolean): Promise<void> {
    const { onlyFor } = held.entry
    const isForOthers = onlyFor !== undefined && onlyFor !== this.#group.group
    const { clock } = this.#parts.parts
    const begunAt = clock.now()
    const end = await this.#endOf(held, { isForOthers, hasRoom })
    if (held.isGivenUp || end.settlement === undefined) return
    const { settlement } = end
    try {
      const isOurs = await this.#insist(held, 'settle', (provider) =>
        provider.settle(this.#group, this.instance, settlement),
      )
      // What was handled was handled, although another consumer may have the message by now.
      const isLost = !isOurs && settlement.kind !== 'done'
      if (isForOthers) return
      if (isLost && !held.isLost) this.#reports.lost(held.entry)
      if (!isLost) this.#reports.ended(held.entry, end, clock.now() - begunAt)
      if (settlement.kind === 'retry') this.#source.expect(settlement.afterMs)
    } catch {
      // It was handed back, or the store is away and this consumer ends: then the message comes again.
    }
  }

  #endOf(
    held: HeldMessage,
    { isForOthers, hasRoom }: { readonly isForOthers: boolean; readonly hasRoom: boolean },
  ): Promise<DeliveryEnd> | DeliveryEnd {
    const { entry } = held.entry
    if (isForOthers) return { outcome: 'handled', settlement: { kind: 'done', entry } }
    if (this.#isStopping || !hasRoom)
      return { outcome: 'handed-back', settlement: { kind: 'back', entry } }
    return deliver(held, this.#delivery)
  }

  #closeAll(): Promise<void> {
    this.#closing ??= this.#closeOnce()
    return this.#closing
  }

  /** Until those that are left wait for the end themselves. */
  async #othersEnded(caller: HeldMessage): Promise<void> {
    caller.waitsForClose = true
    while (this.#held.all.some((held) => !held.waitsForClose)) await this.#held.dropped()
  }

  async #closeOnce(): Promise<void> {
    this.#isStopping = true
    this.#pauses.end()
    const isReaderClosed = this.#source.close()
    const { closeTimeoutMs } = this.#parts.options
    const isOver = Promise.all([this.#loop, this.#held.ended()])
    await this.#within(closeTimeoutMs, isOver)
    for (const held of this.#held.all) {
      held.isAborted = true
      held.abort.abort(new Error('The consumer closes'))
    }
    await this.#within(ABORT_MS, isOver)
    this.#isGivingUp = true
    await Promise.all(this.#held.all.map((held) => this.#giveUp(held)))
    // It may still wait for the store. What it gets is handed back below.
    await this.#within(this.#parts.stream.timeoutMs, this.#loop)
    await isReaderClosed
    await this.#ask('leave', (provider) => provider.leave(this.#group, this.instance)).catch(
      () => undefined,
    )
    this.#parts.onClosed()
  }

  /** Hands back a message whose handler still runs. */
  async #giveUp(held: HeldMessage): Promise<void> {
    held.isGivenUp = true
    const { entry } = held.entry
    const back = { kind: 'back', entry } as const
    try {
      await this.#ask('settle', (provider) => provider.settle(this.#group, this.instance, back))
      this.#reports.ended(held.entry, { outcome: 'handed-back', settlement: back }, 0)
    } catch {
      // The store is away: another consumer takes the message over when this one was silent for long enough.
    }
    this.#held.drop(held)
  }

  async #insist<Reply>(
    held: HeldMessage,
    operation: string,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply> {
    for (let failures = 1; ; failures++) {
      if (held.isGivenUp || this.#isGivingUp) throw new GivenUpError()
      try {
        return await this.#ask(operation, call)
      } catch {
        await this.#pauses.between(failures)
      }
    }
  }

  #ask<Reply>(
    operation: string,
    call: (provider: StreamProvider) => Promise<Reply>,
  ): Promise<Reply> {
    const { parts, stream } = this.#parts
    return parts.store.ask(operation, stream.timeoutMs, call)
  }

  #within(ms: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.parts.clock.schedule(ms, resolve, 'caller')
      void work.then(() => {
        cancel()
        resolve()
      })
    })
  }
}
