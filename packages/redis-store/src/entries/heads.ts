/**
 * Reads the heads of partitions and the tag clock: with this, nodes find out what they were not told.
 *
 * Every node does this every second, so it uses plain reads, together for each server. What is absent is created by
 * scripts in a second round trip. In a Cluster a master may be away, or hang: its part is unknown, and the others' is not
 * kept waiting for it.
 */

import { type CancelTimer, type SyncReply, startTimer, type TagHead } from '@larder/core/store'
import { listOf, numberOf } from '../commands/replies.ts'
import type { ScriptRunner } from '../commands/script-runner.ts'
import { type Command, groupByServer, type ServerGroup } from '../commands/send-together.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'
import { hashTagOf, logKey, tagsKey } from '../key-layout.ts'

/** How long the other masters of a Cluster have once one has answered; shorter than the engine's shortest usual deadline. */
const GRACE_MS = 150

const MS_PER_S = 1_000
const US_PER_MS = 1_000
const TIME: Command = { hashTag: '', send: (to) => to.time() }

export interface HeadsRequest {
  readonly namespace: string
  readonly partitions: readonly number[]
}

/** @throws what went wrong, when no server answered */
export async function readHeads(
  client: RedisClient,
  scripts: ScriptRunner,
  request: HeadsRequest,
): Promise<SyncReply> {
  const answer = await ask(client, commandsOf(request))
  const partOf = async <Part>(
    position: number,
    part: PartReader<Part>,
  ): Promise<Part | undefined> => {
    const outcome = answer.outcomes[position]
    if (outcome?.status !== 'fulfilled') return undefined
    // Creating it may fail, on a full server for one; then it is as unknown as one that did not answer.
    return part.read(outcome.value) ?? (await part.create().catch(() => undefined))
  }
  const [tags, ...heads] = await Promise.all([
    partOf(0, tagClock(scripts, request.namespace)),
    ...request.partitions.map((partition, i) =>
      partOf(i + 1, partitionHead(scripts, request.namespace, partition)),
    ),
  ])
  return { nowMs: answer.nowMs, tags, heads }
}

/** How one part is read from its reply, and created where it is absent. */
interface PartReader<Part> {
  read(reply: unknown): Part | undefined
  create(): Promise<Part>
}

function tagClock(scripts: ScriptRunner, namespace: string): PartReader<TagHead> {
  const keys = [tagsKey(namespace)]
  return {
    read: (reply) => {
      const [version, floor] = listOf(reply)
      if (version === null || version === undefined) return undefined
      return { version: -numberOf(version), floor: -numberOf(floor ?? version) }
    },
    create: async () => {
      const [version, floor] = listOf(await scripts.run({ script: 'openTags', keys, args: [] }))
      return { version: numberOf(version), floor: numberOf(floor) }
    },
  }
}

function partitionHead(
  scripts: ScriptRunner,
  namespace: string,
  partition: number,
): PartReader<number> {
  const keys = [logKey(namespace, partition)]
  return {
    read: (score) => (score === null || score === undefined ? undefined : -numberOf(score)),
    create: async () => numberOf(await scripts.run({ script: 'openLog', keys, args: [] })),
  }
}

function commandsOf({ namespace, partitions }: HeadsRequest): readonly Command[] {
  const tags = tagsKey(namespace)
  return [
    { hashTag: hashTagOf(tags), send: (to) => to.zmscore(tags, ['!version', '!floor']) },
    ...partitions.map((partition): Command => {
      const log = logKey(namespace, partition)
      return { hashTag: hashTagOf(log), send: (to) => to.zscore(log, '!seq') }
    }),
  ]
}

type Outcome = PromiseSettledResult<unknown>

interface Answer {
  /** By position of the command; empty where nobody answered in time. */
  readonly outcomes: readonly (Outcome | undefined)[]
  readonly nowMs: number
}

async function ask(client: RedisClient, commands: readonly Command[]): Promise<Answer> {
  const outcomes = new Array<Outcome | undefined>(commands.length).fill(undefined)
  let nowMs: number | undefined
  let reason: unknown
  for (const { positions, found } of await answersOf(groupByServer(client, commands))) {
    for (const [i, position] of positions.entries()) outcomes[position] = found[i]
    const time = found[positions.length]
    if (time?.status === 'rejected') reason = time.reason
    // One clock is enough, and best it is always the same: the one of the tag clock's server.
    else if (nowMs === undefined || positions[0] === 0) nowMs = millisecondsOf(time?.value)
  }
  if (nowMs === undefined) throw refused('sync', reason)
  return { outcomes, nowMs }
}

interface GroupAnswer {
  readonly positions: readonly number[]
  /** The group's outcomes, and behind them the one of TIME. */
  readonly found: readonly Outcome[]
}

/** Waits for all servers, or a little longer than for the first that answers. */
function answersOf(groups: readonly ServerGroup[]): Promise<readonly GroupAnswer[]> {
  return new Promise((resolve) => {
    const answers: GroupAnswer[] = []
    let cancelGrace: CancelTimer | undefined
    const finish = (): void => {
      cancelGrace?.()
      resolve([...answers])
    }
    for (const { positions, send } of groups) {
      void Promise.allSettled(send([TIME])).then((found) => {
        answers.push({ positions, found })
        if (answers.length === groups.length) finish()
        else if (found.at(-1)?.status === 'fulfilled') {
          cancelGrace ??= startTimer(GRACE_MS, finish, 'caller')
        }
      })
    }
  })
}

function millisecondsOf(time: unknown): number {
  const [seconds, micros] = listOf(time)
  return numberOf(seconds) * MS_PER_S + Math.floor(numberOf(micros) / US_PER_MS)
}
