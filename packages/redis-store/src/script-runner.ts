/** Runs scripts by their SHA, falling back to the text where a server does not know them; one write a tick. */

import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '@larder/core'
import { type Command, exchange, type Outcome } from './exchange.ts'
import { hashTagOf } from './key-layout.ts'
import type { Argument, RedisClient, Reply } from './redis-client.ts'
import { isUnknownScript } from './redis-error.ts'
import { SCRIPTS } from './scripts.generated.ts'

export type ScriptName = keyof typeof SCRIPTS

export interface ScriptCall {
  readonly script: ScriptName
  /** All of one hash tag. */
  readonly keys: readonly string[]
  readonly args: readonly (string | number | Buffer)[]
}

interface PendingCall {
  readonly script: ScriptName
  readonly hashTag: string
  readonly keyCount: number
  readonly keysAndArgs: readonly Argument[]
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
  readonly #client: () => RedisClient | undefined
  #calls: PendingCall[] = []

  /** `client` gives the client whose connection stands. */
  constructor(client: () => RedisClient | undefined) {
    this.#client = client
  }

  /**
   * Runs a script; the calls of one tick travel together.
   *
   * @throws RangeError when a number is beyond 2^53; StoreUnavailableError; and what the server answers
   */
  run({ script, keys, args }: ScriptCall): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const keysAndArgs = [...keys, ...args.map(textOf)]
      const hashTag = hashTagOf(keys[0] ?? '')
      this.#calls.push({ script, hashTag, keyCount: keys.length, keysAndArgs, resolve, reject })
      if (this.#calls.length === 1) process.nextTick(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    const calls = this.#calls
    this.#calls = []
    const client = this.#client()
    if (client === undefined) {
      for (const call of calls) call.reject(new StoreUnavailableError(call.script))
      return
    }
    const unknown = settle(calls, await exchange(client, calls.map(bySha)))
    if (unknown.length === 0) return
    // Nothing ran, so running the text is no repetition.
    const refused = settle(unknown, await exchange(client, unknown.map(byText)))
    for (const call of refused) call.reject(new Error('The server takes no scripts'))
  }
}

/** Settles calls by their outcomes; returns those whose script the server does not know. */
function settle(
  calls: readonly PendingCall[],
  outcomes: readonly Outcome[],
): readonly PendingCall[] {
  return calls.filter((call, i) => {
    const outcome = outcomes[i] as Outcome
    if (outcome.isFine) call.resolve(outcome.reply)
    else if (isUnknownScript(outcome.error)) return true
    else call.reject(outcome.error)
    return false
  })
}

function bySha({ script, hashTag, keyCount, keysAndArgs }: PendingCall): Command {
  return { hashTag, send: (to) => to.evalshaBuffer(SHAS[script], keyCount, keysAndArgs) }
}

function byText({ script, hashTag, keyCount, keysAndArgs }: PendingCall): Command {
  return { hashTag, send: (to) => to.evalBuffer(SCRIPTS[script].lua, keyCount, keysAndArgs) }
}

/** Numbers travel as whole ones in full: String would write 1e+21, and Redis' scores end being exact at 2^53. */
function textOf(arg: string | number | Buffer): Argument {
  if (typeof arg !== 'number') return arg
  const whole = Math.round(arg)
  if (!Number.isSafeInteger(whole)) throw new RangeError('A number beyond 2^53 was refused')
  return whole.toFixed(0)
}
