/**
 * Scripts whose answers wait until the disk of the server has what they wrote (WAITAOF, since Redis 7.2).
 *
 * WAITAOF holds up its whole connection, by default for up to a second, so these scripts have a connection of their own. It also says
 * what was written over its own connection only: so the scripts go straight to the server that is asked afterwards. What comes while
 * the disk is waited for goes out together, and waits for the disk once.
 */

import { StoreKeyError, StoreSetupError, StoreUnavailableError } from '@larder/core'
import { Backend } from '../backend.ts'
import { listOf, numberOf } from '../commands/replies.ts'
import { type ScriptCall, ScriptRunner } from '../commands/script-runner.ts'
import { masterFinder } from '../connection/cluster-nodes.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'
import { hashTagOf } from '../key-layout.ts'
import type { ResolvedRedisStoreOptions } from '../options.ts'

const WAIT_MS = 10_000

interface WaitingCall {
  readonly call: ScriptCall
  resolve(reply: readonly unknown[]): void
  reject(error: unknown): void
}

export class DurableScripts {
  readonly #backend: Backend
  readonly #waiting = new Map<string, WaitingCall[]>()

  constructor(options: ResolvedRedisStoreOptions, namespace: string) {
    this.#backend = new Backend(options)
    this.#backend.open(namespace, 'eventStore')
  }

  /** @throws StoreKeyError where the disk cannot be waited for, or does not have it; StoreUnavailableError; what the server answers */
  run(call: ScriptCall): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      const hashTag = hashTagOf(call.keys[0] ?? '')
      const waiting = this.#waiting.get(hashTag)
      if (waiting !== undefined) {
        waiting.push({ call, resolve, reject })
        return
      }
      this.#waiting.set(hashTag, [{ call, resolve, reject }])
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
    try {
      const client = await this.#backend.connected('eventAppend')
      const server = isCluster(client) ? masterFinder(client)(hashTag) : client
      if (server === undefined) throw new StoreUnavailableError('eventAppend')
      const scripts = new ScriptRunner(() => server)
      const answers = await Promise.allSettled(calls.map(({ call }) => scripts.run(call)))
      const written = answers.some(({ status }) => status === 'fulfilled')
      const lost = written ? await untilOnDisk(server) : undefined
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 'rejected') calls[i]?.reject(refused('eventAppend', answer.reason))
        else if (lost !== undefined) calls[i]?.reject(lost)
        else calls[i]?.resolve(listOf(answer.value))
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }
}

/** Why it is not known to be on the disk; `undefined` when it is. */
async function untilOnDisk(server: RedisClient): Promise<unknown> {
  try {
    const [local] = listOf(await server.call('WAITAOF', '1', '0', `${WAIT_MS}`))
    if (numberOf(local) >= 1) return undefined
    return cannotBeHad(new Error('The disk of the server did not have it in time'))
  } catch (error) {
    return inWords(error)
  }
}

/** The server works, and this demand cannot be met: other calls must not be kept from it. */
function cannotBeHad(cause: unknown): StoreKeyError {
  return new StoreKeyError('eventStore.durable', cause)
}

function inWords(error: unknown): unknown {
  const words = error instanceof Error ? error.message : ''
  if (/unknown command/i.test(words)) {
    const what =
      'Events were appended, but durable needs WAITAOF, which Redis has since 7.2 and this server has not. Leave durable out, or use a newer server.'
    return cannotBeHad(new StoreSetupError(what, error))
  }
  if (/appendonly is disabled/i.test(words)) {
    const what =
      'Events were appended, but durable needs an append-only file, and this server has none. Set appendonly yes, or leave durable out.'
    return cannotBeHad(new StoreSetupError(what, error))
  }
  return error
}
