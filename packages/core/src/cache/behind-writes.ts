/** Loads beside a write-behind queue: what waits in the queue comes before what the source has (see pending-writes.ts). */

import type { Pending } from '../writes/pending-writes.ts'
import type { CacheNode } from './node.ts'
import {
  type LoadContext,
  type Loader,
  type LoadMissing,
  ReadCall,
  type ReadRules,
} from './read-call.ts'

type Home = Pick<CacheNode, 'pendingWrites'>

/** A call whose load looks into the queue first. For one whose cache has a queue. */
export function besideQueue(node: Home, call: ReadCall): ReadCall {
  const loader = new LoaderBehind(node, call)
  const rules: ReadRules = { ...call.rules, keeps: () => loader.mayKeep && keepsOf(call) }
  return new ReadCall(call.site, call.address, loader, rules, call.onDecided)
}

/** The same of calls that load together. */
export function allBesideQueue(
  node: Home,
  calls: readonly ReadCall[],
  load: LoadMissing,
): { readonly calls: readonly ReadCall[]; readonly load: LoadMissing } {
  const unkept = new Set<number>()
  const ruled = calls.map((call, i) => call.with({ keeps: () => !unkept.has(i) && keepsOf(call) }))
  const loadBehind: LoadMissing = async (missing, context) => {
    const found = await lookUp(
      node,
      missing.map((i) => calls[i] as ReadCall),
    )
    for (const [at, i] of missing.entries())
      if (found[at]?.kind === 'unknown') unkept.add(i)
      else unkept.delete(i)
    const absent = missing.filter((_, at) => found[at]?.kind !== 'value')
    const loaded = absent.length === 0 ? [] : await load(absent, context)
    // What is wrong with it is said where all results are checked.
    if (!Array.isArray(loaded) || loaded.length !== absent.length) return loaded
    let next = 0
    return missing.map((i, at) => {
      const pending = found[at]
      return pending?.kind === 'value' ? loadedOf(calls[i] as ReadCall, pending) : loaded[next++]
    })
  }
  return { calls: ruled, load: loadBehind }
}

class LoaderBehind implements Loader {
  readonly #node: Home
  readonly #call: ReadCall
  mayKeep = true

  constructor(node: Home, call: ReadCall) {
    this.#node = node
    this.#call = call
  }

  async load(context: LoadContext): Promise<unknown> {
    const [pending] = await lookUp(this.#node, [this.#call])
    if (pending?.kind === 'value') return loadedOf(this.#call, pending)
    this.mayKeep = pending?.kind === 'none'
    return this.#call.loader.load(context)
  }
}

/** What waits under a call's key; `undefined` where its cache has no queue. */
export async function pendingOf(node: Home, call: ReadCall): Promise<Pending | undefined> {
  if (call.policy.behind === undefined) return undefined
  const [pending] = await lookUp(node, [call])
  return pending
}

/** What a load of the call returns for what waits. */
export function loadedOf(
  { policy }: Pick<ReadCall, 'policy'>,
  { value }: Extract<Pending, { kind: 'value' }>,
): unknown {
  const { pendingValue } = policy
  return pendingValue === undefined ? value : pendingValue(value as never)
}

async function lookUp(node: Home, calls: readonly ReadCall[]): Promise<readonly Pending[]> {
  const queue = calls[0]?.policy.behind
  if (queue === undefined || node.pendingWrites === undefined)
    return calls.map(() => ({ kind: 'none' }))
  return node.pendingWrites.of(queue, calls.map(keyOf))
}

/** As the queue has it: without the name of the cache, with the scope. */
function keyOf({ cache, fullKey }: ReadCall): string {
  return fullKey.slice(cache.length + 1)
}

function keepsOf({ rules }: ReadCall): boolean {
  return rules.keeps?.() !== false
}
