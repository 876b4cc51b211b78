/** Asks all servers at once, each with its part of the commands and for its time. */

import { type CancelTimer, startTimer } from '@larder/core/store'
import { listOf, numberOf } from '../commands/replies.ts'
import { type Command, groupByServer, type ServerGroup } from '../commands/send-together.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'

/** How long the other masters of a Cluster have once one has answered; shorter than the engine's shortest usual deadline. */
const GRACE_MS = 150

const MS_PER_S = 1_000
const US_PER_MS = 1_000
const TIME: Command = { hashTag: '', send: (to) => to.time() }

export type Outcome = PromiseSettledResult<unknown>

export interface Answer {
  /** By position of the command; empty where nobody answered in time. */
  readonly outcomes: readonly (Outcome | undefined)[]
  readonly nowMs: number
}

/**
 * The first command's server is the one whose time counts.
 *
 * @throws what went wrong, when no server answered
 */
export async function ask(client: RedisClient, commands: readonly Command[]): Promise<Answer> {
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
