/**
 * Reads the heads of partitions and the tag clock: with this, nodes find out what they were not told.
 *
 * Every node does this every second, so it uses plain reads, as few as there can be, together for each server. Outside of a
 * Cluster the scripts keep all heads once more in one string (see noted-heads.ts). In a Cluster each head is in the slot of its
 * partition. What is absent is created by scripts in a second round trip. In a Cluster a master may be away, or hang: its part is
 * unknown, and the others' is not kept waiting for it.
 */

import type { SyncReply, TagHead } from '@larder/core/store'
import { listOf, numberOf } from '../commands/replies.ts'
import type { ScriptRunner } from '../commands/script-runner.ts'
import type { Command } from '../commands/send-together.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { hashTagOf, logKey, tagsKey } from '../key-layout.ts'
import { ask, type Outcome } from './ask-servers.ts'
import type { HeadsQuestion, HeadsRequest } from './heads-question.ts'
import { NotedHeads } from './noted-heads.ts'

/** How long what waits to be announced is given, however late it is, and however far ahead. */
const ANNOUNCED_WITHIN_MS = { least: 50, most: 1_000 }

/** Reads heads, of one store. */
export class Heads {
  readonly #scripts: ScriptRunner
  readonly #noted: NotedHeads

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts
    this.#noted = new NotedHeads(scripts)
  }

  /** @throws what went wrong, when no server answered */
  async read(client: RedisClient, request: HeadsRequest): Promise<SyncReply> {
    const { commands, read } = isCluster(client)
      ? this.#logsQuestion(request)
      : this.#noted.question(request)
    const { outcomes, nowMs } = await ask(client, [tagsCommand(request), ...commands])
    const [tags, ...found] = outcomes
    const [clock, { heads, announcedByMs }] = await Promise.all([
      this.#tagClock(tags, request.namespace),
      read(found),
    ])
    const reply = { nowMs, tags: clock, heads }
    if (announcedByMs === undefined) return reply
    const { least, most } = ANNOUNCED_WITHIN_MS
    return { ...reply, announcedWithinMs: Math.min(most, Math.max(least, announcedByMs - nowMs)) }
  }

  /** Creating it may fail, on a full server for one; then it is as unknown as one that did not answer. */
  async #tagClock(outcome: Outcome | undefined, namespace: string): Promise<TagHead | undefined> {
    if (outcome?.status !== 'fulfilled') return undefined
    const [version, floor] = listOf(outcome.value)
    if (version !== null && version !== undefined)
      return { version: -numberOf(version), floor: -numberOf(floor ?? version) }
    const opening = this.#scripts.run({ script: 'openTags', keys: [tagsKey(namespace)], args: [] })
    const opened = await opening.catch(() => undefined)
    if (opened === undefined) return undefined
    const [first, firstFloor] = listOf(opened)
    return { version: numberOf(first), floor: numberOf(firstFloor) }
  }

  #logsQuestion({ namespace, partitions }: HeadsRequest): HeadsQuestion {
    const logs = partitions.map((partition) => logKey(namespace, partition))
    return {
      commands: logs.map((log) => {
        return { hashTag: hashTagOf(log), send: (to) => to.zscore(log, '!seq') }
      }),
      read: async (outcomes) => {
        const reading = outcomes.map((outcome, i) => this.#logHead(outcome, logs[i] as string))
        return { heads: await Promise.all(reading) }
      },
    }
  }

  async #logHead(outcome: Outcome | undefined, log: string): Promise<number | undefined> {
    if (outcome?.status !== 'fulfilled') return undefined
    if (outcome.value !== null && outcome.value !== undefined) return -numberOf(outcome.value)
    const opening = this.#scripts.run({ script: 'openLogs', keys: [log], args: [1] })
    const opened = await opening.catch(() => undefined)
    return opened === undefined ? undefined : numberOf(listOf(opened)[0])
  }
}

function tagsCommand({ namespace }: HeadsRequest): Command {
  const tags = tagsKey(namespace)
  return { hashTag: hashTagOf(tags), send: (to) => to.zmscore(tags, ['!version', '!floor']) }
}
