/**
 * Sends commands together, whatever the topology; every command has an answer of its own.
 *
 * Commands of one tick go out a few to a write. A write per command costs a system call per command; one write for all leaves the
 * server idle while they are written and this process idle while they run. (ioredis' pipelines and auto-pipelining do the
 * latter, and take more of this process' time than commands sent singly.)
 */

import { masterFinder } from '../connection/cluster-nodes.ts'
import {
  type ClusterClient,
  isCluster,
  type RedisClient,
  type RedisCommander,
  type Reply,
} from '../connection/redis-client.ts'
import { isRedirection } from '../connection/redis-error.ts'

const WEIGHT_PER_WRITE = 16

export interface Command {
  /** Decides the server: all its keys have this hash tag. */
  readonly hashTag: string
  /** How many commands' work it is, roughly. @default 1 */
  readonly weight?: number
  send(to: RedisCommander): Promise<Reply>
}

/** Commands for one server. */
export interface ServerGroup {
  /** Positions in the list that was divided. */
  readonly positions: readonly number[]
  /** Sends them, and `more` behind them wherever they go. */
  send(more: readonly Command[]): readonly Promise<Reply>[]
}

/** Sends commands to the servers that take them; answers in order. */
export function sendTogether(
  client: RedisClient,
  commands: readonly Command[],
): readonly Promise<Reply>[] {
  if (!isCluster(client)) return sendTo(client, commands)
  const answers = new Array<Promise<Reply>>(commands.length)
  for (const { positions, send } of groupByServer(client, commands)) {
    const own = send([])
    for (const [i, position] of positions.entries()) answers[position] = own[i] as Promise<Reply>
  }
  return answers
}

/** Divides commands by the server that takes them. */
export function groupByServer(
  client: RedisClient,
  commands: readonly Command[],
): readonly ServerGroup[] {
  if (!isCluster(client)) {
    const send: ServerGroup['send'] = (more) => sendTo(client, [...commands, ...more])
    return [{ positions: [...commands.keys()], send }]
  }
  const findMaster = masterFinder(client)
  const positionsOf = new Map<RedisClient | undefined, number[]>()
  for (const [position, { hashTag }] of commands.entries()) {
    const master = findMaster(hashTag)
    const positions = positionsOf.get(master)
    if (positions === undefined) positionsOf.set(master, [position])
    else positions.push(position)
  }
  return [...positionsOf].map(([master, positions]) => {
    const own = positions.map((position) => commands[position] as Command)
    return { positions, send: (more) => sendToMaster(client, master, [...own, ...more]) }
  })
}

/** Straight to the master while it is known; redirected commands, and those without a known master, go through the Cluster client. */
function sendToMaster(
  cluster: ClusterClient,
  master: RedisClient | undefined,
  commands: readonly Command[],
): readonly Promise<Reply>[] {
  if (master === undefined) return commands.map((command) => send(command, cluster))
  return sendTo(master, commands).map((answer, i) =>
    answer.catch((error: unknown) => {
      if (isRedirection(error)) return (commands[i] as Command).send(cluster)
      throw error
    }),
  )
}

function sendTo(client: RedisClient, commands: readonly Command[]): readonly Promise<Reply>[] {
  const answers: Promise<Reply>[] = []
  while (answers.length < commands.length) {
    const { stream } = client
    stream?.cork()
    for (let weight = 0; weight < WEIGHT_PER_WRITE && answers.length < commands.length; ) {
      const command = commands[answers.length] as Command
      weight += command.weight ?? 1
      answers.push(send(command, client))
    }
    stream?.uncork()
  }
  return answers
}

/** An error in between would leave the socket corked and other commands without answers. */
function send(command: Command, to: RedisCommander): Promise<Reply> {
  try {
    return command.send(to)
  } catch (error) {
    return Promise.reject(error)
  }
}
