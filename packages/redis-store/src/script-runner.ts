/** Runs scripts by their SHA, falling back to the text where the server does not know them; one write a tick. */

import { createHash } from 'node:crypto'
import type { RedisClient, Reply } from './redis-client.ts'
import { SCRIPTS } from './scripts.generated.ts'

export type ScriptName = keyof typeof SCRIPTS

interface Call {
  readonly script: ScriptName
  readonly keys: readonly string[]
  readonly args: readonly (string | Buffer)[]
  resolve(reply: Reply): void
  reject(error: unknown): void
}

const SHAS = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, { lua }]) => [
    name,
    createHash('sha1').update(lua).digest('hex'),
  ]),
) as Readonly<Record<ScriptName, string>>

export class ScriptRunner {
  readonly #client: () => RedisClient
  /** Calls of this tick by hash tag: a Cluster pipeline may only hold keys of one slot. */
  #calls = new Map<string, Call[]>()

  constructor(client: () => RedisClient) {
    this.#client = client
  }

  /** Runs a script; all its keys must share a hash tag. Calls of one tick travel together. */
  run(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#calls.size === 0) process.nextTick(() => this.#flush())
      const group = this.#client().isCluster === true ? hashTagOf(keys[0] ?? '') : ''
      const calls = this.#calls.get(group) ?? []
      this.#calls.set(group, calls)
      calls.push({ script, keys, args, resolve, reject })
    })
  }

  #flush(): void {
    const groups = this.#calls
    this.#calls = new Map()
    for (const calls of groups.values()) {
      const [only] = calls
      if (calls.length === 1 && only !== undefined) this.#runOne(only)
      else this.#runPipeline(calls)
    }
  }

  #runOne(call: Call): void {
    const { script, keys, args } = call
    this.#client()
      .evalshaBuffer(SHAS[script], keys.length, ...keys, ...args)
      .then(call.resolve, (error: unknown) => this.#retryWithText(call, error))
  }

  #runPipeline(calls: readonly Call[]): void {
    const pipeline = this.#client().pipeline()
    for (const { script, keys, args } of calls) {
      pipeline.evalshaBuffer(SHAS[script], keys.length, ...keys, ...args)
    }
    pipeline.exec().then(
      (replies) => {
        for (const [i, call] of calls.entries()) {
          const [error, result] = replies?.[i] ?? [
            new Error('The pipeline was given up'),
            undefined,
          ]
          if (error === null) call.resolve(result)
          else this.#retryWithText(call, error)
        }
      },
      (error: unknown) => {
        for (const call of calls) call.reject(error)
      },
    )
  }

  /** NOSCRIPT means that nothing ran, so running the text is no repetition. */
  #retryWithText(call: Call, error: unknown): void {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
      call.reject(error)
      return
    }
    const { script, keys, args } = call
    this.#client()
      .evalBuffer(SCRIPTS[script].lua, keys.length, ...keys, ...args)
      .then(call.resolve, call.reject)
  }
}

function hashTagOf(key: string): string {
  return key.slice(0, key.indexOf('}') + 1)
}
