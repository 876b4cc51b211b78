/** Queues of write-behind on Redis. Every step is one script on the server's clock; lua/write-*.lua says what each does. */

import { StoreKeyError, StoreSetupError } from '@larder/core'
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
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall, ScriptName } from '../commands/script-runner.ts'
import { queueKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { awaitDisk } from './await-disk.ts'
import { keepsAll } from './keeps-all.ts'
import {
  kindLetter,
  readBuried,
  readBuryOutcome,
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

export class RedisWrites extends BackedProvider implements WriteProvider {
  readonly capabilities: WriteCapabilities = { shared: true }
  readonly #parts: BackedParts

  constructor(parts: BackedParts) {
    super(parts, 'writes')
    this.#parts = parts
  }

  async keepsAll(): Promise<boolean | undefined> {
    return keepsAll(await this.#parts.backend.connected('writes.keepsAll'))
  }

  async enqueue(queue: string, request: EnqueueRequest): Promise<EnqueueReply> {
    const { writes, delayMs, most, onDiskMs } = request
    const [isQueued, ...rest] = await this.#run('writeEnqueue', queue, [
      Math.ceil(delayMs),
      most,
      ...writes.flatMap(({ key, kind, bytes }) => [key, kindLetter(kind), bufferOf(bytes)]),
    ])
    if (isQueued !== 1) return { kind: 'full', waiting: numberOf(rest[0]) }
    const versions = rest.map(numberOf)
    const isOnDisk = onDiskMs > 0 && (await this.#onDisk(queue, onDiskMs))
    return { kind: 'queued', versions, isOnDisk }
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

  async #step(script: ScriptName, queue: string, args: ScriptCall['args']): Promise<StepReply> {
    const [isDone] = await this.#run(script, queue, args)
    return isDone === 1 ? 'done' : 'lost'
  }

  async #onDisk(queue: string, timeoutMs: number): Promise<boolean> {
    const { backend } = this.#parts
    const client = await backend.connected('writes.onDisk')
    const [state = ''] = queueKeys(this.namespace, queue)
    return awaitDisk(client, state, timeoutMs)
  }

  async #run(
    script: ScriptName,
    queue: string,
    args: ScriptCall['args'],
  ): Promise<readonly unknown[]> {
    const nowUs = this.#parts.nowUs?.()
    const keys = queueKeys(this.namespace, queue)
    try {
      return await this.#parts.backend.run({ script, keys, args: [nowUs ?? '', ...args] })
    } catch (error) {
      if (error instanceof StoreSetupError) throw error
      const isAnswer = error instanceof Error && error.name === 'ReplyError'
      throw isAnswer ? new StoreKeyError(`writes.${script}`, error) : error
    }
  }
}

function argsOf({ owner, fence }: QueueHold): ScriptCall['args'] {
  return [owner, fence]
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
