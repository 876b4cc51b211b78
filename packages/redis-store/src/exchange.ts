/** Sends commands together: one write a server, whatever the topology, and every command has an outcome of its own. */

import { masterFinder } from './cluster-nodes.ts'
import { isCluster, type RedisClient, type RedisCommander, type Reply } from './redis-client.ts'
import { isRedirection, withoutCommand } from './redis-error.ts'

export interface Command {
  /** What decides where it goes: all its keys have this hash tag. */
  readonly hashTag: string
  send(to: RedisCommander): unknown
}

export type Outcome =
  | { readonly isFine: true; readonly reply: Reply }
  | { readonly isFine: false; readonly error: unknown }

/** Commands for one server. */
export interface Batch {
  /** Positions in the list that was divided. */
  readonly positions: readonly number[]
  /** Runs them, and `more` behind them wherever they go. Never rejects. */
  run(more?: readonly Command[]): Promise<readonly Outcome[]>
}

/** Runs commands, one batch a server at a time; outcomes in order. Never rejects. */
export async function exchange(
  client: RedisClient,
  commands: readonly Command[],
): Promise<readonly Outcome[]> {
  const batches = divide(client, commands)
  const [only] = batches
  if (only !== undefined && batches.length === 1) return only.run()
  const outcomes = new Array<Outcome>(commands.length)
  await Promise.all(
    batches.map(async ({ positions, run }) => {
      const found = await run()
      for (const [i, position] of positions.entries()) outcomes[position] = found[i] as Outcome
    }),
  )
  return outcomes
}

/** Divides commands by the server that takes them. */
export function divide(client: RedisClient, commands: readonly Command[]): readonly Batch[] {
  if (!isCluster(client)) {
    const run: Batch['run'] = (more = []) => sendTogether(client, [...commands, ...more])
    return [{ positions: [...commands.keys()], run }]
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
    return { positions, run: (more = []) => sendToMaster(client, master, [...own, ...more]) }
  })
}

/** Straight to the master while it is known; what it sends away, or nobody is known for, takes the Cluster's detours. */
async function sendToMaster(
  cluster: RedisClient,
  master: RedisClient | undefined,
  commands: readonly Command[],
): Promise<readonly Outcome[]> {
  if (master === undefined)
    return Promise.all(commands.map((command) => sendAlone(cluster, command)))
  const outcomes = await sendTogether(master, commands)
  return Promise.all(
    outcomes.map((outcome, i) => {
      const isSentAway = !outcome.isFine && isRedirection(outcome.error)
      return isSentAway ? sendAlone(cluster, commands[i] as Command) : outcome
    }),
  )
}

async function sendTogether(
  client: RedisClient,
  commands: readonly Command[],
): Promise<readonly Outcome[]> {
  const [only] = commands
  if (only !== undefined && commands.length === 1) return [await sendAlone(client, only)]
  try {
    const pipeline = client.pipeline()
    for (const command of commands) command.send(pipeline)
    const replies = await pipeline.exec()
    return commands.map((_, i) => {
      const [error, reply] = replies?.[i] ?? [new Error('The pipeline was given up'), undefined]
      return error === null ? { isFine: true, reply } : failed(error)
    })
  } catch (error) {
    return commands.map(() => failed(error))
  }
}

async function sendAlone(client: RedisClient, command: Command): Promise<Outcome> {
  try {
    return { isFine: true, reply: await command.send(client) }
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): Outcome {
  return { isFine: false, error: withoutCommand(error) }
}
