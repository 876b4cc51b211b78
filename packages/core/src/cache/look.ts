/** Looks for what is there, in both tiers, without loading and without counting. */

import type { Age, LocalEntry } from '../entry/local-entry.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { MissReason } from '../events/events.ts'
import { keepsForErrors } from './entry-rules.ts'
import type { Found, LookOptions } from './found.ts'
import { goneBy, judge } from './judge.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { traceLook, tracesReads } from './read-reports.ts'
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
  readonly #remote: RemoteRead

  constructor(node: CacheNode, remote: RemoteRead) {
    this.#node = node
    this.#remote = remote
  }

  /** Never rejects because of the store. @throws ClosedError */
  async find(call: ReadCall, options: LookOptions): Promise<Found | MissReason> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError(node.namespace)
    if (node.unit()?.covers(call.cache, call.fullKey) === true) return 'evicted'
    const held = this.#held(call, options)
    if (typeof held === 'object' && !held.isDoubtful && held.age !== 'fallback') {
      return { ...held, tier: 'local' }
    }
    const { found, missed } = await this.#findRemotely(call, options, missedOf(held))
    if (typeof found === 'object') return { ...found, tier: 'remote' }
    if (typeof held !== 'object' || !options.fallback) return missed
    // As for a failed load: what cannot be verified stands in only if the policy keeps it for that.
    const mayStandIn = !held.isDoubtful || (found === 'unknown' && keepsForErrors(call))
    return mayStandIn ? { entry: held.entry, age: 'fallback', tier: 'local' } : missed
  }

  #held(call: ReadCall, { traceless }: LookOptions): Held | MissReason {
    const { local, clock } = this.#node
    if (!call.policy.local || local === undefined) return 'absent'
    const entry = traceless ? local.peek(call.fullKey) : local.get(call.fullKey)
    if (entry === undefined) return 'absent'
    const now = clock.now()
    switch (judge(entry, call, this.#node.knowledge, now)) {
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
        return goneBy(entry, now)
    }
  }

  async #findRemotely(call: ReadCall, options: LookOptions, missed: MissReason): Promise<Looked> {
    const { coherence, knowledge } = this.#node
    const { maxStalenessMs } = call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    const { address } = call
    const witness = witnessOf(call, knowledge.stamp(address.partition), this.#node.clock.now())
    if (!this.#remote.usesRemote(call)) {
      return knowledge.isInDoubt(call.fullKey)
        ? { found: 'nothing', missed: 'evicted' }
        : { found: 'unknown', missed }
    }
    if (!knowledge.canJudge(maxStalenessMs)) return { found: 'unknown', missed: 'store-away' }
    witness.missed = missed
    const trace = tracesReads() && !options.traceless ? traceLook(this.#node, call) : undefined
    const found = await this.#remote.find(witness, options)
    trace?.end(
      typeof found === 'object'
        ? { outcome: found.age === 'fresh' ? 'remote' : 'stale' }
        : { outcome: 'miss', missed: witness.missed },
    )
    return { found, missed: witness.missed }
  }
}

/** What the store was found to have, and otherwise why there is nothing. */
interface Looked {
  readonly found: Omit<Found, 'tier'> | 'nothing' | 'unknown'
  readonly missed: MissReason
}

function missedOf(held: Held | MissReason): MissReason {
  if (typeof held === 'string') return held
  return held.isDoubtful ? 'absent' : 'expired'
}
