/**
 * Many keys at once: one entry per key, one read for all, one loader call for the missing ones.
 *
 * Every key has a flight of its own, so that keys shared with other callers are loaded once. The loader runs when every
 * flight has decided whether its key needs it: the key is found, shared, waiting for another node, or missing. A key that needs
 * loading later (because the node that was loading it died) gets a call of its own.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'
import { LoadAbort } from './load.ts'
import { beginLoad, endLoad, runInLoad } from './load-scope.ts'
import { type LoadContext, type Loader, ReadCall } from './read-call.ts'
import type { ReadPath } from './read-path.ts'

/** Loads the keys at the given indexes; returns one value each, in that order. */
export type LoadMissing = (
  missing: readonly number[],
  context: LoadContext,
) => Promise<readonly unknown[]>

interface Enlisted {
  readonly index: number
  readonly context: LoadContext
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Reads all calls; their own loaders are replaced by `load`. */
export function loadTogether(
  reads: ReadPath,
  calls: readonly ReadCall[],
  load: LoadMissing,
): Promise<readonly unknown[]> {
  const batch = new Batch(calls.length, load, reads.owner)
  const reading = calls.map((call, index) => {
    const loader: Loader = { load: (context) => batch.enlist(index, context) }
    return reads.read(new ReadCall(call.site, call.address, loader, call.rules, batch.decisionOf()))
  })
  return Promise.all(reading)
}

class Batch {
  readonly #load: LoadMissing
  /** The async context of the batch's caller. The key that decides last may do so in another one, at the end of another caller's load. */
  readonly #context: KeptContext = keepContext()
  #undecided: number
  #enlisted: Enlisted[] = []
  #isScheduled = false

  readonly #owner: object

  constructor(size: number, load: LoadMissing, owner: object) {
    this.#undecided = size
    this.#load = load
    this.#owner = owner
  }

  /** Returns what one key calls when it has decided; further calls do nothing. */
  decisionOf(): () => void {
    let isDecided = false
    return () => {
      if (isDecided) return
      isDecided = true
      this.#undecided -= 1
      this.#schedule()
    }
  }

  enlist(index: number, context: LoadContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#enlisted.push({ index, context, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#undecided > 0 || this.#enlisted.length === 0 || this.#isScheduled) return
    this.#isScheduled = true
    // The key that decides last calls this before it enlists: the batch runs after that.
    queueMicrotask(() => void runIn(this.#context, () => this.#run()))
  }

  async #run(): Promise<void> {
    const enlisted = this.#enlisted
    this.#enlisted = []
    this.#isScheduled = false
    try {
      const values = await this.#loadAll(enlisted)
      for (const [i, item] of enlisted.entries()) item.resolve(values[i])
    } catch (error) {
      for (const item of enlisted) item.reject(error)
    }
  }

  async #loadAll(enlisted: readonly Enlisted[]): Promise<readonly unknown[]> {
    const indexes = enlisted.map((item) => item.index)
    let signal: AbortSignal | undefined
    const context: LoadContext = {
      get signal() {
        signal ??= AbortSignal.any(enlisted.map((item) => item.context.signal))
        return signal
      },
      previous: undefined,
    }
    const loads = enlisted
      .map((item) => item.context)
      .filter((load): load is LoadAbort => load instanceof LoadAbort)
    for (const load of loads) load.together = loads
    const own = loads.map((load) => load.flight)
    const scope = beginLoad(this.#owner, own, context)
    let values: readonly unknown[]
    try {
      values = await runInLoad(scope, () => this.#load(indexes, context))
    } finally {
      endLoad(scope)
    }
    if (Array.isArray(values) && values.length === indexes.length) return values
    throw new InvalidOptionError({
      option: 'the result of a batch loader',
      expected: `an array of ${indexes.length} values, one for each missing key`,
      received: values,
    })
  }
}
