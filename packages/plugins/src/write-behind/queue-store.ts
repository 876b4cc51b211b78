/** The steps of one queue, each within its time. */

import { randomBytes } from 'node:crypto'
import { InvalidOptionError } from '@larder/core'
import type {
  BuriedWrite,
  BuryReply,
  Clock,
  EnqueueReply,
  NewWrite,
  QueueHold,
  QueueState,
  ReplayReply,
  TakenWrite,
  TakeReply,
  WaitingWrite,
  WriteParts,
  WriteProvider,
  WrittenKey,
} from '@larder/core/store'
import type { ResolvedQueue } from './queue-options.ts'
import { QueueValues } from './queue-values.ts'
import type { WrittenWrite } from './written-write.ts'

const ID_BYTES = 12

export class QueueStore {
  readonly options: ResolvedQueue
  readonly values: QueueValues
  /** Who this process is to the store. */
  readonly owner = randomBytes(ID_BYTES).toString('base64url')
  readonly #parts: WriteParts

  /** @throws InvalidOptionError for `durable` with queues that end with the process */
  constructor(parts: WriteParts, options: ResolvedQueue, where: string) {
    const { provider } = parts.store
    if (options.durable && !provider.capabilities.shared) {
      const expected = `to be false with queues that end with the process (${provider.name})`
      throw new InvalidOptionError({ option: `${where}.durable`, expected, received: true })
    }
    this.#parts = parts
    this.options = options
    const { values } = parts
    this.values = new QueueValues({ queue: options.name, values, merge: options.merge })
  }

  get clock(): Clock {
    return this.#parts.clock
  }

  /** Other processes may queue and write. */
  get isShared(): boolean {
    return this.#parts.store.provider.capabilities.shared
  }

  get isClosed(): boolean {
    return this.#parts.store.isClosed
  }

  get namespace(): string {
    return this.#parts.namespace
  }

  report(what: string, error: unknown): void {
    const task = `write-behind(${this.options.name}) ${what}`
    this.#parts.events.emit('background-error', { task, error })
  }

  written(taken: TakenWrite): Promise<WrittenWrite<unknown>> {
    return this.values.written(taken)
  }

  keepsAll(): Promise<boolean | undefined> {
    return this.#ask('keepsAll', (provider) => provider.keepsAll())
  }

  /** `isOver`: beyond what may wait. */
  enqueue(
    writes: readonly NewWrite[],
    { isOver, delayMs }: { readonly isOver: boolean; readonly delayMs: number },
  ): Promise<EnqueueReply> {
    const { name, maxPending, durable, storeTimeoutMs } = this.options
    const most = isOver ? Number.MAX_SAFE_INTEGER : maxPending
    // The store is to say that it was too slow, before its own deadline says that nothing is known.
    const onDiskMs = durable ? Math.ceil(storeTimeoutMs / 2) : 0
    const request = { writes, delayMs, most, onDiskMs }
    return this.#ask('enqueue', (provider) => provider.enqueue(name, request))
  }

  waiting(keys: readonly string[]): Promise<readonly (WaitingWrite | undefined)[]> {
    const { name } = this.options
    return this.#ask('waiting', (provider) => provider.waiting(name, keys))
  }

  hurry(keys?: readonly string[]): Promise<number> {
    const { name } = this.options
    return this.#ask('hurry', (provider) => provider.hurry(name, keys))
  }

  state(version = 0): Promise<QueueState> {
    const { name } = this.options
    return this.#ask('state', (provider) => provider.state(name, version))
  }

  buried(skip: number, take: number): Promise<readonly BuriedWrite[]> {
    const { name } = this.options
    return this.#ask('buried', (provider) => provider.buried(name, skip, take))
  }

  replay(id: string, isForced: boolean): Promise<ReplayReply> {
    const { name } = this.options
    return this.#ask('replay', (provider) => provider.replay(name, id, isForced))
  }

  discard(id: string): Promise<boolean> {
    const { name } = this.options
    return this.#ask('discard', (provider) => provider.discard(name, id))
  }

  take(owner: string): Promise<TakeReply> {
    const { name, holdMs, batch } = this.options
    const request = { owner, holdMs, most: batch }
    return this.#ask('take', (provider) => provider.take(name, request))
  }

  renew(hold: QueueHold): Promise<boolean> {
    const { name, holdMs } = this.options
    return this.#step('renew', (provider) => provider.renew(name, hold, holdMs))
  }

  acknowledge(hold: QueueHold, written: readonly WrittenKey[]): Promise<boolean> {
    const { name } = this.options
    return this.#step('acknowledge', (provider) => provider.acknowledge(name, hold, written))
  }

  postpone(hold: QueueHold, keys: readonly string[], delayMs: number): Promise<boolean> {
    const { name } = this.options
    return this.#step('postpone', (provider) => provider.postpone(name, hold, { keys, delayMs }))
  }

  bury(hold: QueueHold, { key, version }: WrittenKey, error: string): Promise<BuryReply> {
    const { name, maxDeadLetters: most } = this.options
    const id = randomBytes(ID_BYTES).toString('base64url')
    const request = { key, version, id, error, most }
    return this.#ask('bury', (provider) => provider.bury(name, hold, request))
  }

  release(hold: QueueHold): Promise<void> {
    const { name } = this.options
    return this.#ask('release', (provider) => provider.release(name, hold))
  }

  async #step(
    operation: string,
    call: (provider: WriteProvider) => Promise<'done' | 'lost'>,
  ): Promise<boolean> {
    return (await this.#ask(operation, call)) === 'done'
  }

  #ask<Reply>(
    operation: string,
    call: (provider: WriteProvider) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#parts.store.ask(operation, this.options.storeTimeoutMs, call)
  }
}
