/**
 * Takes in news of changes: from the bus, and from the store's replies to changes of this node.
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
import type { CancelTimer } from '../contracts/clock.ts'
import type { CatchUp } from './catch-up.ts'
import { INTERVALS } from './intervals.ts'
import type { Knowledge } from './knowledge.ts'
import { LOSS_MARK } from './loss-mark.ts'
import { NOT_ASKED, type Partition } from './partitions.ts'
import type { CoherenceParts } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import type { Suspicion } from './suspicion.ts'

const NONE: readonly string[] = []

export interface InboxParts extends Pick<CoherenceParts, 'clock' | 'work' | 'targets'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly catchUp: CatchUp
  readonly suspicion: Suspicion
  /** How this node calls itself in what it tells others. */
  readonly sender: number
  /** The bus came up, or something suggests that the store changed: the store must be asked. */
  readonly onReconnected: () => void
}

export class Inbox {
  readonly #parts: InboxParts
  #hearsayUntil = Number.NEGATIVE_INFINITY
  /** Partitions in which something is missing that should be announced soon. */
  readonly #awaiting = new Map<Partition, CancelTimer>()
  #isClosed = false

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  /** The listener for the bus of the store. */
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
      // The next sync finds out what the message was about.
      onGarbage: () => reports.gap('tags', 'gap', false),
    }
  }

  #receive(message: BusMessage): void {
    if (this.#isClosed) return
    if (message.kind === 'wake') this.#parts.targets.wake(message.key)
    else if (message.kind === 'keys') this.applyKeys(message, NOT_ASKED)
    else if (message.kind === 'tags') this.#applyTags(message)
    else this.#applyDoubt(message)
  }

  /**
   * Keys of one partition were changed, by any node. `asked`: by this node, when it had heard of this number of the partition.
   * `announcedWithinMs`: what is missing before the change may only be waiting to be announced.
   */
  applyKeys(message: KeysMessage, asked: number, announcedWithinMs = 0): void {
    const { targets, reports, work, knowledge, suspicion } = this.#parts
    const { keys, seq } = message
    const partition = knowledge.partitions[message.partition]
    if (partition === undefined) return
    // A number of a history begun anew says nothing about what was read before.
    const isAnew = knowledge.hasSequences && message.previous < asked
    targets.forget(keys, isAnew ? Number.POSITIVE_INFINITY : seq, message.soft)
    if (message.settleMs !== undefined) targets.settle(keys, message.settleMs)
    for (const key of keys) targets.wake(key)
    if (keys.includes(LOSS_MARK)) knowledge.unverify(partition)
    reports.invalidated(keys, NONE)
    const fit = knowledge.hasSequences ? partition.advance(message.previous, seq, asked) : 'applied'
    // Several changes may share a number, and each reply names its own keys.
    const isLast = fit === 'applied' || (fit === 'known' && seq === partition.seq)
    if (isLast) knowledge.doubts.settle(keys, NONE)
    if (!knowledge.hasSequences) return
    partition.noteTags(knowledge.tags.confirmed)
    // The change with exactly this number is the one in this message.
    if (fit === 'applied' || fit === 'known')
      knowledge.own.supersede(partition, keys, { above: seq - 1, upTo: seq })
    if (fit === 'applied' || fit === 'gap') knowledge.advanced.add(partition.id)
    if (fit === 'gap' && announcedWithinMs > 0) this.#awaitNews(partition, announcedWithinMs)
    else if (fit === 'gap') work.run('catch-up', this.#closeGap(partition))
    if (fit === 'history-lost') suspicion.raise()
  }

  /** Reading the log for each change of this node would cost the store more than the messages that it saves. */
  #awaitNews(partition: Partition, withinMs: number): void {
    if (this.#awaiting.has(partition)) return
    const { clock, work } = this.#parts
    const { heard } = partition
    const look = (): void => {
      this.#awaiting.delete(partition)
      if (partition.seq < heard) work.run('catch-up', this.#closeGap(partition))
    }
    this.#awaiting.set(partition, clock.schedule(withinMs, look, 'background'))
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

  /** Catches up with the version in a message. Where the store does not know it, such messages are ignored for a while. */
  async #verifyTags(version: number): Promise<void> {
    const { catchUp, knowledge, clock } = this.#parts
    await catchUp.tags()
    if (knowledge.tags.confirmed < version) this.#hearsayUntil = clock.now() + INTERVALS.hearsayMs
  }

  #applyDoubt(message: DoubtMessage): void {
    const { targets, reports, clock, knowledge, sender } = this.#parts
    // What this node said itself waits in its queue, and is over when it does not wait there any more.
    if (message.sender === sender) return
    const { keys: doubted, tags } = knowledge.doubts.note(message, clock.now())
    const { soft = false } = message
    // It is unknown which came first, so the value that waits is neither kept nor sent.
    const dropped = new Set(knowledge.queue.dropValues(doubted))
    // Evictions that wait here were already applied here.
    const keys = doubted.filter((key) => dropped.has(key) || !knowledge.queue.covers(key, soft))
    if (keys.length > 0) targets.forget(keys, Number.POSITIVE_INFINITY, soft)
    if (tags.length > 0) knowledge.tags.invalidateHere(tags)
    if (keys.length + tags.length > 0) reports.invalidated(keys, tags)
  }

  close(): void {
    this.#isClosed = true
    for (const cancel of this.#awaiting.values()) cancel()
  }
}
