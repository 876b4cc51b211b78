/**
 * Many keys at once: one entry per key, one read for all, one loader call for the missing ones.
 *
 * Every key has a flight of its own, so that keys shared with other callers are loaded once. The loader runs when every
 * flight has decided whether its key needs it: the key is found, shared, waiting for another node, or missing. A key that needs
 * loading later (because the node that was loading it died) gets a call of its own.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import { allBesideQueue } from './behind-writes.ts'
import { LoadAbort, stand } from './load.ts'
import { beginLoad, endLoad, runInLoad } from './load-scope.ts'
import type { CacheNode } from './node.ts'
import { type LoadContext, type Loader, type LoadMissing, ReadCall } from './read-call.ts'
import type { ReadPath } from './read-path.ts'
import { loadTrace, tracesLoads } from './read-reports.ts'

interface Enlisted {
  readonly index: number
  readonly context: LoadContext
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Reads all calls; their own loaders are replaced by `load`. */
export function loadTogether(
  reads: ReadPath,
  asked: readonly ReadCall[],
  loadAsked: LoadMissing,
): Promise<readonly unknown[]> {
  const isBeside = asked[0]?.policy.behind !== undefined
  const { calls, load } = isBeside
    ? allBesideQueue(reads.owner, asked, loadAsked)
    : { calls: asked, load: loadAsked }
  const batch = new Batch(calls.length, load, reads.owner)
  const reading = calls.map((call, index) => {
    const loader: Loader = { isOfMany: true, load: (context) => batch.enlist(index, context) }
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

  readonly #owner: CacheNode

  constructor(size: number, load: LoadMissing, owner: CacheNode) {
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
      isBehind: enlisted.every((item) => item.context.isBehind),
    }
    const loads = enlisted
      .map((item) => item.context)
      .filter((load): load is LoadAbort => load instanceof LoadAbort)
    for (const load of loads) load.together = loads
    const own = loads.map((load) => load.flight)
    // Until now the keys that decided first have waited for the last.
    for (const flight of own) stand(this.#owner, flight)
    const scope = beginLoad(this.#owner, own, context)
    let values: readonly unknown[]
    try {
      const load = () => runInLoad(scope, () => this.#load(indexes, context))
      const isTraced = own.length > 0 && tracesLoads()
      values = await (isTraced ? this.#traced(loads, load) : load())
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

  /** One trace for all keys. It ends when no key waits for it any more: a loader may not stop when its time is over. */
  #traced(
    loads: readonly LoadAbort[],
    load: () => Promise<readonly unknown[]>,
  ): Promise<readonly unknown[]> {
    const own = loads.map(({ flight }) => flight)
    const trace = loadTrace(this.#owner, own)
    let waiting = loads.length
    for (const each of loads) {
      each.onEnd = () => {
        waiting -= 1
        if (waiting === 0) trace.fail(each.reason, { outcome: 'error' })
      }
    }
    const answer = trace.run(async () => load())
    return trace.until(answer, () => ({ outcome: 'value' }))
  }
}
