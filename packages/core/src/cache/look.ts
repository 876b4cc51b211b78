/** Looks for what is there, in both tiers, without loading and without counting. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { FlightStart } from './flight-start.ts'
import type { Found, LookOptions } from './found.ts'
import { judge } from './judge.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { Age } from './remote-entry.ts'
import type { RemoteRead } from './remote-read.ts'
import { witnessOf } from './witness.ts'

/** A local entry as it stands. */
interface Held {
  readonly entry: LocalEntry
  readonly age: Age
  /** Nobody says it is wrong, but it could not be verified lately. */
  readonly isDoubtful: boolean
}

export class Looks {
  readonly #node: CacheNode
  readonly #starts: FlightStart
  readonly #remote: RemoteRead

  constructor(node: CacheNode, starts: FlightStart, remote: RemoteRead) {
    this.#node = node
    this.#starts = starts
    this.#remote = remote
  }

  /** Never rejects because of the store. @throws ClosedError */
  async find(call: ReadCall, options: LookOptions): Promise<Found | undefined> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError(node.namespace)
    if (node.unit()?.covers(call.cache, call.fullKey) === true) return undefined
    const held = this.#held(call, options)
    if (held !== undefined && !held.isDoubtful && held.age !== 'fallback') {
      return { ...held, tier: 'local' }
    }
    const found = await this.#findRemotely(call, options)
    if (typeof found === 'object') return { ...found, tier: 'remote' }
    if (held === undefined || !options.fallback) return undefined
    // As for a failed load: what cannot be verified stands in only if the policy keeps it for that.
    const mayStandIn = !held.isDoubtful || (found === 'unknown' && call.policy.staleIfErrorMs > 0)
    return mayStandIn ? { entry: held.entry, age: 'fallback', tier: 'local' } : undefined
  }

  #held(call: ReadCall, { traceless }: LookOptions): Held | undefined {
    const { local, clock } = this.#node
    if (!call.policy.local || local === undefined) return undefined
    const entry = traceless ? local.peek(call.fullKey) : local.get(call.fullKey)
    if (entry === undefined) return undefined
    switch (judge(entry, call, this.#node.knowledge, clock.now())) {
      case 'fresh':
      case 'early':
        return { entry, age: 'fresh', isDoubtful: false }
      case 'stale':
      case 'backing-off':
        return { entry, age: 'stale', isDoubtful: false }
      case 'fallback':
        return { entry, age: 'fallback', isDoubtful: false }
      case 'unverified':
        return { entry, age: 'fallback', isDoubtful: true }
      default:
        return undefined
    }
  }

  async #findRemotely(
    call: ReadCall,
    options: LookOptions,
  ): Promise<Omit<Found, 'tier'> | 'nothing' | 'unknown'> {
    const { coherence, knowledge } = this.#node
    const { maxStalenessMs } = call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    const { address } = call
    const witness = witnessOf(call, knowledge.stamp(address.partition), this.#node.clock.now())
    if (!this.#starts.usesRemote(call))
      return knowledge.isInDoubt(call.fullKey) ? 'nothing' : 'unknown'
    if (!knowledge.canJudge(maxStalenessMs)) return 'unknown'
    return this.#remote.find(witness, options)
  }
}
