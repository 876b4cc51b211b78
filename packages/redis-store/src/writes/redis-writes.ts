/** Queues of write-behind on Redis. Every step is one script on the server's clock; lua/write-*.lua says what each does. */

import { StoreKeyError } from '@larder/core'
import type {
  BuriedWrite,
  BuryReply,
  BuryRequest,
  EnqueueReply,
  EnqueueRequest,
  PostponeRequest,
  QueueHold,
  QueueState,
  ReplayReply,
  StepReply,
  TakeReply,
  TakeRequest,
  WaitingWrite,
  WriteCapabilities,
  WriteProvider,
  WrittenKey,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { DurableScripts } from '../commands/durable-scripts.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall, ScriptName } from '../commands/script-runner.ts'
import { TickBatch } from '../commands/tick-batch.ts'
import { queueKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { keepsAll } from './keeps-all.ts'
import {
  kindLetter,
  readBuried,
  readBuryOutcome,
  readEnqueued,
  readReplayed,
  readState,
  readTaken,
  readWaiting,
} from './write-replies.ts'

/**
 * Creates a provider of write-behind queues on a Redis of its own, apart from the cache's: for a server that neither drops keys for
 * room nor loses them at a restart. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', writes: redisWrites({ url: process.env.QUEUES_URL }) })
 */
export function redisWrites(options: RedisStoreOptions): WriteProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisWrites({ backend, options: resolved, ownsBackend: true })
}

interface QueuedRequest {
  readonly queue: string
  readonly request: EnqueueRequest
}

/** Requests of one tick share a script, up to about so many bytes: a server does nothing else while one runs. */
const MOST_BYTES_AT_ONCE = 256 * 1024
const WEIGHT_OF_WRITE = 512

export class RedisWrites extends BackedProvider implements WriteProvider {
  readonly capabilities: WriteCapabilities = { shared: true }
  readonly #parts: BackedParts
  #durable: DurableScripts | undefined
  readonly #requests: TickBatch<QueuedRequest, EnqueueReply>

  constructor(parts: BackedParts) {
    super(parts, 'writes')
    this.#parts = parts
    this.#requests = new TickBatch({
      run: (requests) => this.#enqueueAll(requests),
      most: MOST_BYTES_AT_ONCE,
      weightOf: ({ request }) => weightOf(request),
      groupOf: ({ queue }) => queue,
    })
  }

  override async close(): Promise<void> {
    await Promise.all([super.close(), this.#durable?.close()])
  }

  async keepsAll(): Promise<boolean | undefined> {
    return keepsAll(await this.#parts.backend.connected('writes.keepsAll'))
  }

  async enqueue(queue: string, request: EnqueueRequest): Promise<EnqueueReply> {
    if (request.onDiskMs > 0) return this.#enqueueOnDisk(queue, request)
    return this.#requests.add({ queue, request })
  }

  async waiting(
    queue: string,
    keys: readonly string[],
  ): Promise<readonly (WaitingWrite | undefined)[]> {
    if (keys.length === 0) return []
    return readWaiting(await this.#run('writeWaiting', queue, keys))
  }

  async take(queue: string, { owner, holdMs, most }: TakeRequest): Promise<TakeReply> {
    return readTaken(await this.#run('writeTake', queue, [owner, Math.ceil(holdMs), most]))
  }

  async renew(queue: string, hold: QueueHold, holdMs: number): Promise<StepReply> {
    return this.#step('writeRenew', queue, [...argsOf(hold), Math.ceil(holdMs)])
  }

  async acknowledge(
    queue: string,
    hold: QueueHold,
    written: readonly WrittenKey[],
  ): Promise<StepReply> {
    const args = written.flatMap(({ key, version }) => [key, version])
    return this.#step('writeAcknowledge', queue, [...argsOf(hold), ...args])
  }

  async postpone(
    queue: string,
    hold: QueueHold,
    { keys, delayMs }: PostponeRequest,
  ): Promise<StepReply> {
    return this.#step('writePostpone', queue, [...argsOf(hold), Math.ceil(delayMs), ...keys])
  }

  async bury(queue: string, hold: QueueHold, request: BuryRequest): Promise<BuryReply> {
    const { key, version, id, error, most } = request
    const args = [...argsOf(hold), key, version, id, error, most]
    return readBuryOutcome(await this.#run('writeBury', queue, args))
  }

  async release(queue: string, hold: QueueHold): Promise<void> {
    await this.#step('writeRenew', queue, [...argsOf(hold), 0])
  }

  async hurry(queue: string, keys: readonly string[] | undefined): Promise<number> {
    if (keys?.length === 0) return 0
    const [version] = await this.#run('writeHurry', queue, keys ?? [])
    return numberOf(version)
  }

  async state(queue: string, version: number): Promise<QueueState> {
    return readState(await this.#run('writeState', queue, [version]))
  }

  async buried(queue: string, skip: number, take: number): Promise<readonly BuriedWrite[]> {
    return readBuried(await this.#run('writeBuried', queue, [skip, take]))
  }

  async replay(queue: string, id: string, isForced: boolean): Promise<ReplayReply> {
    return readReplayed(await this.#run('writeReplay', queue, [id, isForced ? 1 : 0]))
  }

  async discard(queue: string, id: string): Promise<boolean> {
    const [isGone] = await this.#run('writeDiscard', queue, [id])
    return isGone === 1
  }

  async #enqueueAll(requests: readonly QueuedRequest[]): Promise<readonly EnqueueReply[]> {
    const { queue } = requests[0] as QueuedRequest
    const args = requests.flatMap(({ request }) => argsOfRequest(request))
    return (await this.#run('writeEnqueue', queue, args)).map(readEnqueued)
  }

  /** On a connection of its own: waiting for the disk holds up all that follows on one. */
  async #enqueueOnDisk(queue: string, request: EnqueueRequest): Promise<EnqueueReply> {
    this.#durable ??= new DurableScripts({
      options: this.#parts.options,
      namespace: this.namespace,
      use: 'writes',
      done: 'A write was queued',
    })
    const { reply, onDisk } = await this.#durable
      .run(this.#callOf('writeEnqueue', queue, argsOfRequest(request)), request.onDiskMs)
      .catch((error: unknown) => {
        throw answered('writeEnqueue', error)
      })
    const queued = readEnqueued(reply[0])
    if (queued.kind !== 'queued') return queued
    if (onDisk.kind === 'setup') throw onDisk.error
    if (onDisk.kind === 'unknown') throw answered('writeEnqueue', onDisk.error)
    return { ...queued, isOnDisk: onDisk.kind === 'yes' }
  }

  async #step(script: ScriptName, queue: string, args: ScriptCall['args']): Promise<StepReply> {
    const [isDone] = await this.#run(script, queue, args)
    return isDone === 1 ? 'done' : 'lost'
  }

  async #run(
    script: ScriptName,
    queue: string,
    args: ScriptCall['args'],
  ): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(this.#callOf(script, queue, args))
    } catch (error) {
      throw answered(script, error)
    }
  }

  #callOf(script: ScriptName, queue: string, args: ScriptCall['args']): ScriptCall {
    return { script, keys: queueKeys(this.namespace, queue), args: [this.now, ...args] }
  }
}

/** What the server answers is about this queue: a full store still gives out what waits. */
function answered(script: ScriptName, error: unknown): unknown {
  const isAnswer = error instanceof Error && error.name === 'ReplyError'
  return isAnswer ? new StoreKeyError(`writes.${script}`, error) : error
}

function argsOfRequest({ writes, delayMs, most }: EnqueueRequest): ScriptCall['args'] {
  const each = writes.flatMap(({ key, kind, bytes }) => [key, kindLetter(kind), bufferOf(bytes)])
  return [Math.ceil(delayMs), most, writes.length, ...each]
}

function weightOf({ writes }: EnqueueRequest): number {
  let weight = 0
  for (const { key, bytes } of writes) weight += WEIGHT_OF_WRITE + key.length + bytes.length
  return weight
}

function argsOf({ owner, fence }: QueueHold): ScriptCall['args'] {
  return [owner, fence]
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
