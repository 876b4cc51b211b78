/**
 * Measures how old what was served really was: one local hit in so many is compared with the store, behind its caller.
 *
 * A hit only counts down. When it is due, what it stood on is noted, and a timer takes it from there: the caller has its answer by
 * then. Few comparisons are under way at once, and what is due beyond them is left out. Distances between two samples are random,
 * because a program that asks in rounds would otherwise have the same few keys compared for ever.
 */

import type { EntryAddress } from '../contracts/remote-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import { Paced } from '../events/paced.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { StalenessCounters } from '../stats/staleness.ts'
import type { CacheNode } from './node.ts'
import { type MeasuredCache, type StalenessSample, sampleOf } from './staleness-sample.ts'
import { isSameWrite, type Stale, type Verdict, verdictOn } from './staleness-verdict.ts'

/** Comparisons under way at once, those that wait for their timer included. */
const MOST_AT_ONCE = 16
/** Of each cache, so many alarms in so long. */
const ALARMS = { periodMs: 10_000, most: 10 } as const

export class StalenessSampler {
  readonly counters = new StalenessCounters()
  readonly #node: CacheNode
  readonly #every: number
  readonly #context: KeptContext = keepContext()
  readonly #alarms = new Paced(ALARMS.periodMs, ALARMS.most)
  #left: number
  #underWay = 0

  /** `every`: one hit in so many, on average. */
  constructor(node: CacheNode, every: number) {
    this.#node = node
    this.#every = every
    this.#left = this.#distance()
  }

  /** Counts a hit; true when it is to be compared. */
  isDue(): boolean {
    this.#left -= 1
    if (this.#left > 0) return false
    this.#left = this.#distance()
    return true
  }

  /** Compares a hit that was served this moment. Returns at once, and never throws. */
  take(address: EntryAddress, entry: LocalEntry, measured: MeasuredCache): void {
    const node = this.#node
    const { remote } = node
    if (remote === undefined || node.isClosed) return
    if (this.#underWay >= MOST_AT_ONCE) {
      this.counters.skipped += 1
      return
    }
    this.#underWay += 1
    const sample = sampleOf(node, address, entry, measured)
    const compare = (): void => {
      if (node.isClosed) return
      node.work.run('comparing a hit', this.#compare(sample, remote))
    }
    runIn(this.#context, () => node.clock.schedule(0, compare, 'background'))
  }

  async #compare(sample: StalenessSample, remote: RemoteTier): Promise<void> {
    const verdict = await this.#ask(sample, remote).catch((error: unknown) => {
      remote.reportDefect('comparing a hit', error)
      return 'unanswered' as const
    })
    this.#underWay -= 1
    if (typeof verdict === 'string') this.counters.found(verdict)
    else this.#foundStale(sample, verdict)
  }

  async #ask(sample: StalenessSample, remote: RemoteTier): Promise<Verdict> {
    const { knowledge, clock } = this.#node
    const { address, seq, tagsAt } = sample
    if (!remote.isReachable) return 'unanswered'
    // What this node has changed has not reached the store.
    if (knowledge.isInDoubt(address.key)) return 'unknown'
    const [header, tags] = await Promise.all([
      headerOf(remote, address),
      remote.run('tags-since', (store) => store.tagsSince(tagsAt)),
    ])
    const changes = isSameWrite(sample, header)
      ? undefined
      : await remote.run('changes-since', (store) => store.changesSince(address.partition, seq))
    const state = { header, tags, changes, readAt: clock.now() }
    return verdictOn(sample, state, knowledge.server)
  }

  #foundStale({ cache, address, maxStalenessMs }: StalenessSample, stale: Stale): void {
    const { events, knowledge, clock } = this.#node
    const { reason, stalenessMs } = stale
    this.counters.foundStale(reason, stalenessMs)
    // Only what is certain: the two clocks are not related more exactly than this.
    if (stalenessMs - knowledge.server.errorMs <= maxStalenessMs) return
    this.counters.tooStale += 1
    const count = this.#alarms.take(cache, clock.now())
    if (count === 0) return
    const { key } = address
    events.emit('too-stale', { cache, key, reason, stalenessMs, maxStalenessMs, count })
  }

  /** From 1, and `every` on average. */
  #distance(): number {
    return 1 + Math.floor(Math.random() * (2 * this.#every - 1))
  }
}

function headerOf(remote: RemoteTier, address: EntryAddress): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const receiver = {
      received: (_: undefined, bytes: Uint8Array | undefined): void => resolve(bytes),
      failed: (_: undefined, error: unknown): void => reject(error),
    }
    remote.readHeader(address, receiver, undefined)
  })
}
