/**
 * What the providers on a Redis have in common: the connection, which may be one of their own, the namespace, the clock that a test sets,
 * and what an answer of the server about one key means.
 */

import { INTERNALS } from '@larder/core/store'
import type { Backend, TroubleListener } from './backend.ts'
import type { ScriptCall } from './commands/script-runner.ts'
import { keyErrorOf } from './connection/key-error.ts'
import type { Use } from './connection/rights.ts'
import type { RedisInternals, ResolvedRedisStoreOptions } from './options.ts'

export interface BackedParts {
  readonly backend: Backend
  readonly options: ResolvedRedisStoreOptions
  /** Closing this provider closes the backend too. */
  readonly ownsBackend: boolean
  /** The server's clock as a test sets it, µs. */
  readonly nowUs?: (() => number) | undefined
}

export abstract class BackedProvider {
  readonly name = 'redis'
  readonly #parts: BackedParts
  readonly #use: Use
  #namespace: string | undefined

  constructor(parts: BackedParts, use: Use) {
    this.#parts = parts
    this.#use = use
  }

  /** For tools. Not a field: what prints it must not print its URL. */
  get [INTERNALS](): RedisInternals {
    return { options: this.#parts.options }
  }

  onTrouble(listener: TroubleListener): void {
    this.#parts.backend.onTrouble = listener
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#parts.backend.open(namespace, this.#use)
  }

  whenTried(): Promise<void> {
    return this.#parts.backend.whenTried()
  }

  async close(): Promise<void> {
    if (this.#parts.ownsBackend) await this.#parts.backend.close()
  }

  protected get backend(): Backend {
    return this.#parts.backend
  }

  protected get isOpen(): boolean {
    return this.#namespace !== undefined
  }

  protected get namespace(): string {
    if (this.#namespace === undefined)
      throw new Error(`The provider of ${this.#use} on Redis is not open`)
    return this.#namespace
  }

  /** The clock as scripts are told: empty where the server's own decides. */
  protected get now(): number | string {
    return this.#parts.nowUs?.() ?? ''
  }

  /** @throws StoreKeyError for what the server answers about these keys */
  protected async run(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(call)
    } catch (error) {
      throw keyErrorOf(`${this.#use}.${call.script}`, error)
    }
  }
}
