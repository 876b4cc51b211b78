/** Runs scripts by their SHA, falling back to the text where a server does not know them. */

import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '@larder/core'
import type { Argument, RedisClient, Reply } from '../connection/redis-client.ts'
import { isUnknownScript, withoutCommand } from '../connection/redis-error.ts'
import { hashTagOf } from '../key-layout.ts'
import { SCRIPTS } from '../scripts.generated.ts'
import { type Command, sendTogether } from './send-together.ts'

export type ScriptName = keyof typeof SCRIPTS

export interface ScriptCall {
  readonly script: ScriptName
  /** All with one hash tag. */
  readonly keys: readonly string[]
  readonly args: readonly (string | number | Buffer)[]
  /** Send it now, and what the tick gathered before it, instead of at the tick's end. */
  readonly atOnce?: boolean
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
  run({ script, keys, args, atOnce = false }: ScriptCall): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const keysAndArgs = [...keys, ...args.map(textOf)]
      const hashTag = hashTagOf(keys[0] ?? '')
      this.#calls.push({ script, hashTag, keyCount: keys.length, keysAndArgs, resolve, reject })
      if (atOnce) this.#flush()
      else if (this.#calls.length === 1) process.nextTick(this.#flush)
    })
  }

  readonly #flush = (): void => {
    const calls = this.#calls
    this.#calls = []
    if (calls.length === 0) return
    const client = this.#client()
    if (client === undefined) {
      for (const call of calls) call.reject(new StoreUnavailableError(call.script))
      return
    }
    const answers = sendTogether(client, calls.map(bySha))
    for (const [i, call] of calls.entries()) {
      answers[i]?.then(call.resolve, (error: unknown) => runByText(client, call, error))
    }
  }
}

function bySha({ script, hashTag, keyCount, keysAndArgs }: PendingCall): Command {
  const weight = keyCount
  return { hashTag, weight, send: (to) => to.evalshaBuffer(SHAS[script], keyCount, keysAndArgs) }
}

/** An unknown script did not run, so running its text does not repeat it. */
function runByText(client: RedisClient, call: PendingCall, error: unknown): void {
  if (!isUnknownScript(error)) {
    call.reject(withoutCommand(error))
    return
  }
  const { script, keyCount, keysAndArgs } = call
  client
    .evalBuffer(SCRIPTS[script].lua, keyCount, keysAndArgs)
    .then(call.resolve, (reason: unknown) => call.reject(withoutCommand(reason)))
}

/** Numbers travel as whole ones in full. Redis' scores end being exact at 2^53, and String only later begins to write 1e+21. */
function textOf(arg: string | number | Buffer): Argument {
  if (typeof arg !== 'number') return arg
  const whole = Math.round(arg)
  if (!Number.isSafeInteger(whole)) throw new RangeError('A number beyond 2^53 was refused')
  return String(whole)
}
