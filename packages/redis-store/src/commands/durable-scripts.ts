/**
 * Scripts whose answers wait until the disk of the server has what they wrote (WAITAOF, since Redis 7.2).
 *
 * WAITAOF holds up its whole connection, by default for up to a second, so these scripts have a connection of their own. It also says
 * what was written over its own connection only: so the scripts go straight to the server that is asked afterwards. What comes while
 * the disk is waited for goes out together, and waits for the disk once.
 */

import { StoreSetupError, StoreUnavailableError } from '@larder/core'
import { Backend } from '../backend.ts'
import { masterFinder } from '../connection/cluster-nodes.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'
import type { Use } from '../connection/rights.ts'
import { hashTagOf } from '../key-layout.ts'
import type { ResolvedRedisStoreOptions } from '../options.ts'
import { listOf, numberOf } from './replies.ts'
import { type ScriptCall, ScriptRunner } from './script-runner.ts'

/** Whether the disk has it; `setup`: the server cannot say, and never will; `unknown`: it did not answer. */
export type OnDisk =
  | { readonly kind: 'yes' | 'late' }
  | { readonly kind: 'setup'; readonly error: StoreSetupError }
  | { readonly kind: 'unknown'; readonly error: unknown }

export interface DurableReply {
  readonly reply: readonly unknown[]
  readonly onDisk: OnDisk
}

interface WaitingCall {
  readonly call: ScriptCall
  readonly waitMs: number
  resolve(reply: DurableReply): void
  reject(error: unknown): void
}

export interface DurableScriptsParts {
  readonly options: ResolvedRedisStoreOptions
  readonly namespace: string
  readonly use: Use
  /** Begins messages: what has happened all the same. */
  readonly done: string
}

export class DurableScripts {
  readonly #parts: DurableScriptsParts
  readonly #backend: Backend
  readonly #waiting = new Map<string, WaitingCall[]>()

  constructor(parts: DurableScriptsParts) {
    this.#parts = parts
    this.#backend = new Backend(parts.options)
    this.#backend.open(parts.namespace, parts.use)
  }

  /** `waitMs`: how long the disk is waited for. @throws StoreUnavailableError; what the server answers */
  run(call: ScriptCall, waitMs: number): Promise<DurableReply> {
    return new Promise((resolve, reject) => {
      const hashTag = hashTagOf(call.keys[0] ?? '')
      const waiting = this.#waiting.get(hashTag)
      if (waiting !== undefined) {
        waiting.push({ call, waitMs, resolve, reject })
        return
      }
      this.#waiting.set(hashTag, [{ call, waitMs, resolve, reject }])
      void this.#work(hashTag)
    })
  }

  close(): Promise<void> {
    return this.#backend.close()
  }

  /** Sends what waits, again and again until nothing does. */
  async #work(hashTag: string): Promise<void> {
    for (;;) {
      const calls = this.#waiting.get(hashTag) ?? []
      if (calls.length === 0) break
      this.#waiting.set(hashTag, [])
      await this.#send(hashTag, calls)
    }
    this.#waiting.delete(hashTag)
  }

  /** Never rejects. */
  async #send(hashTag: string, calls: readonly WaitingCall[]): Promise<void> {
    const operation = calls[0]?.call.script ?? this.#parts.use
    try {
      const client = await this.#backend.connected(operation)
      const server = isCluster(client) ? masterFinder(client)(hashTag) : client
      if (server === undefined) throw new StoreUnavailableError(operation)
      const scripts = new ScriptRunner(() => server)
      const answers = await Promise.allSettled(calls.map(({ call }) => scripts.run(call)))
      const isAny = answers.some(({ status }) => status === 'fulfilled')
      const waitMs = Math.max(...calls.map((each) => each.waitMs))
      const onDisk = isAny ? await this.#untilOnDisk(server, waitMs) : LATE
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 'rejected') calls[i]?.reject(refused(operation, answer.reason))
        else calls[i]?.resolve({ reply: listOf(answer.value), onDisk })
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }

  async #untilOnDisk(server: RedisClient, waitMs: number): Promise<OnDisk> {
    try {
      const waited = `${Math.max(1, Math.ceil(waitMs))}`
      const [local] = listOf(await server.call('WAITAOF', '1', '0', waited))
      return numberOf(local) >= 1 ? { kind: 'yes' } : LATE
    } catch (error) {
      const what = missing(error)
      if (what === undefined) return { kind: 'unknown', error }
      return { kind: 'setup', error: new StoreSetupError(`${this.#parts.done}, ${what}`, error) }
    }
  }
}

const LATE = { kind: 'late' } as const

/** What the server lacks. */
function missing(error: unknown): string | undefined {
  const words = error instanceof Error ? error.message : ''
  if (/unknown command/i.test(words))
    return 'but durable needs WAITAOF, which Redis has since 7.2 and this server has not. Leave durable out, or use a newer server.'
  if (/appendonly is disabled/i.test(words))
    return 'but durable needs an append-only file, and this server has none. Set appendonly yes, or leave durable out.'
  if (/NOPERM/.test(words))
    return 'but durable needs WAITAOF, which this user may not call. Give it the right (+waitaof), or leave durable out.'
  return undefined
}
