/**
 * All heads in one string, which every script that moves a head writes in the same step (`note_head` in lua/includes/log.lua).
 *
 * It is a note and not the truth: a server may drop it, and give it back from a copy that is older than a log. So three things
 * are never taken for a head: a string that is not there, a place in it that was never written, and a place that differs from its
 * log. The last is looked at for one partition at a time, another one with each sync; a fleet goes round quickly. Each of them
 * has the log itself read, by the script that also writes the note anew. Why that is enough: docs/design/scale.md.
 */

import { listOf, numberOf } from '../commands/replies.ts'
import type { ScriptRunner } from '../commands/script-runner.ts'
import { headsKey, logKey } from '../key-layout.ts'
import type { HeadsQuestion, HeadsRequest } from './heads-question.ts'

const BYTES_PER_HEAD = 8
const UNKNOWN = 0
/** Behind the heads: up to when messages are paid for, µs, and whether changes wait to be announced (lua/includes/announce.lua). */
const PAID_AT = 512
const WAITS_AT = PAID_AT + 8
const US_PER_MS = 1_000

export class NotedHeads {
  readonly #scripts: ScriptRunner
  /** Which partition is compared with its log by the next sync: fleets begin anywhere. */
  #turn = Math.floor(Math.random() * 2 ** 16)

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts
  }

  /** The string, and behind it one head from its log: should it move in between, the log has the newer one. */
  question(request: HeadsRequest): HeadsQuestion {
    const { namespace, partitions } = request
    const turn = (this.#turn + 1) % Math.max(1, partitions.length)
    this.#turn = turn
    const key = headsKey(namespace)
    const log = logKey(namespace, partitions[turn] ?? 0)
    return {
      commands: [
        { hashTag: '', send: (to) => to.getBuffer(key) },
        { hashTag: '', send: (to) => to.zscore(log, '!seq') },
      ],
      read: async ([noted, compared]) => {
        const bytes = noted?.status === 'fulfilled' ? noted.value : undefined
        const proven = compared?.status === 'fulfilled' ? headOf(compared.value) : undefined
        const heads = partitions.map((partition, i) => {
          const head = headIn(bytes, partition)
          return i === turn && proven !== undefined && proven !== head ? UNKNOWN : head
        })
        const unknown = partitions.filter((_, i) => heads[i] === UNKNOWN)
        const announcedByMs = announcementIn(bytes)
        if (unknown.length === 0) return { heads, announcedByMs }
        const opened = await this.#open(namespace, unknown)
        const known = partitions.map((partition, i) =>
          heads[i] === UNKNOWN ? opened.get(partition) : heads[i],
        )
        return { heads: known, announcedByMs }
      },
    }
  }

  /** Those that cannot be read are as unknown as those of a server that did not answer. */
  async #open(
    namespace: string,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const keys = [
      ...partitions.map((partition) => logKey(namespace, partition)),
      headsKey(namespace),
    ]
    const args = [partitions.length]
    const reply = await this.#scripts.run({ script: 'openLogs', keys, args }).catch(() => undefined)
    const found = reply === undefined ? [] : listOf(reply).map(numberOf)
    return new Map(
      partitions.flatMap((partition, i) => {
        const head = found[i] ?? UNKNOWN
        return head === UNKNOWN ? [] : [[partition, head] as const]
      }),
    )
  }
}

function headIn(bytes: unknown, partition: number): number {
  const at = partition * BYTES_PER_HEAD
  if (!Buffer.isBuffer(bytes) || bytes.length < at + BYTES_PER_HEAD) return UNKNOWN
  const head = bytes.readDoubleBE(at)
  return Number.isSafeInteger(head) && head > 0 ? head : UNKNOWN
}

function announcementIn(bytes: unknown): number | undefined {
  if (!Buffer.isBuffer(bytes) || bytes.length <= WAITS_AT || bytes[WAITS_AT] !== 1) return undefined
  return bytes.readDoubleBE(PAID_AT) / US_PER_MS
}

function headOf(score: unknown): number {
  return score === null || score === undefined ? UNKNOWN : -numberOf(score)
}
