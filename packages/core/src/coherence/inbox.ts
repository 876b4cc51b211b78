/**
 * Takes in what is said of changes: by the bus, and by the store's replies to changes of this node.
 *
 * Messages only make things faster. They are applied in any order, any number of times, from this node too: its own
 * message is a free second delete. A message that does not follow on what is known starts a catch-up at once.
 */

import type {
  BusListener,
  BusMessage,
  DoubtMessage,
  KeysMessage,
  TagsMessage,
} from '../contracts/bus.ts'
import type { CatchUp } from './catch-up.ts'
import type { Knowledge } from './knowledge.ts'
import { LOSS_MARK } from './loss-mark.ts'
import type { Partition } from './partitions.ts'
import type { CoherenceParts } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import type { Suspicion } from './suspicion.ts'

const NONE: readonly string[] = []
/** After a message about tags that the store knew nothing of, the next ones wait for a sync, ms. */
const HEARSAY_MS = 5_000

export interface InboxParts extends Pick<CoherenceParts, 'clock' | 'work' | 'targets'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly catchUp: CatchUp
  readonly suspicion: Suspicion
  /** The bus, or what suggests that the store changed, came up: the store is to be asked. */
  readonly onReconnected: () => void
}

export class Inbox {
  readonly #parts: InboxParts
  #hearsayUntil = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  /** What the bus of the store is given. */
  listener(): BusListener {
    const { reports, onReconnected } = this.#parts
    return {
      onMessage: (message) => this.#receive(message),
      onUp: () => {
        reports.bus('up')
        onReconnected()
      },
      onDoubt: onReconnected,
      onDown: (reason) => reports.bus('down', reason),
      // Whatever it was meant to say, the next sync finds out.
      onGarbage: () => reports.gap('tags', 'gap', false),
    }
  }

  #receive(message: BusMessage): void {
    if (this.#isClosed) return
    if (message.kind === 'wake') this.#parts.targets.wake(message.key)
    else if (message.kind === 'keys') this.applyKeys(message)
    else if (message.kind === 'tags') this.#applyTags(message)
    else this.#applyDoubt(message)
  }

  /** Keys of one partition were changed, by whomever. `asked`: by this node, which knew the partition to stand there then. */
  applyKeys(message: KeysMessage, asked?: number): void {
    const { targets, reports, work, knowledge, suspicion } = this.#parts
    const { keys, seq } = message
    const partition = knowledge.partitions[message.partition]
    if (partition === undefined) return
    targets.forget(keys, seq, message.soft)
    if (message.settleMs !== undefined) targets.settle(keys, message.settleMs)
    for (const key of keys) targets.wake(key)
    if (keys.includes(LOSS_MARK)) knowledge.unverify(partition)
    reports.invalidated(keys, NONE)
    const fit = knowledge.hasSequences ? partition.advance(message.previous, seq, asked) : 'applied'
    if (fit === 'applied') knowledge.doubts.settle(keys, NONE)
    if (!knowledge.hasSequences) return
    partition.noteTags(knowledge.tags.confirmed)
    // Of what has this very number, this is the message.
    if (fit === 'applied' || fit === 'known') knowledge.own.supersede(partition.id, keys, seq - 1)
    if (fit === 'applied' || fit === 'gap') knowledge.advanced.add(partition.id)
    if (fit === 'gap') work.run('catch-up', this.#closeGap(partition))
    if (fit === 'history-lost') suspicion.raise()
  }

  async #closeGap(partition: Partition): Promise<void> {
    const outcome = await this.#parts.catchUp.partition(partition, 'gap')
    if (typeof outcome === 'number') this.#parts.suspicion.raise()
  }

  #applyTags(message: TagsMessage): void {
    const { knowledge, reports, work, clock, catchUp, suspicion } = this.#parts
    const fit = knowledge.tags.applyBump(message.tags, message, true)
    if (fit === 'applied') knowledge.doubts.settle(NONE, message.tags)
    reports.invalidated(NONE, message.tags)
    if (fit !== 'gap' || catchUp.isReadingTags) return
    if (clock.now() < this.#hearsayUntil) {
      suspicion.raise()
      return
    }
    reports.gap('tags', 'gap', true)
    work.run('catch-up', this.#verifyTags(message.version))
  }

  /** Catches up with what a message named. Where the store knows nothing of it, such messages are not run after for a while. */
  async #verifyTags(version: number): Promise<void> {
    const { catchUp, knowledge, clock } = this.#parts
    await catchUp.tags()
    if (knowledge.tags.confirmed < version) this.#hearsayUntil = clock.now() + HEARSAY_MS
  }

  #applyDoubt(message: DoubtMessage): void {
    const { targets, reports, clock, knowledge } = this.#parts
    const { keys: doubted, tags } = knowledge.doubts.note(message, clock.now())
    const { soft = false } = message
    // What waits here was forgotten here, the way it was asked for.
    const keys = doubted.filter((key) => !knowledge.queue.covers(key, soft))
    if (keys.length > 0) targets.forget(keys, Number.POSITIVE_INFINITY, soft)
    if (tags.length > 0) knowledge.tags.invalidateHere(tags)
    if (keys.length + tags.length > 0) reports.invalidated(keys, tags)
  }

  close(): void {
    this.#isClosed = true
  }
}
