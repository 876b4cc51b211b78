/** Reads the heartbeats of a namespace, by plain commands that create nothing: nodes and tools alike. */

import type { KeptHeartbeat, KeptHeartbeats } from '@larder/core/store'
import { listOf, millisecondsOf, scoredOf, textOf } from '../commands/replies.ts'
import { sendTogether } from '../commands/send-together.ts'
import type { RedisClient, Reply } from '../connection/redis-client.ts'
import { withoutCommand } from '../connection/redis-error.ts'
import { fleetKeys, hashTagOf } from '../key-layout.ts'

/** A reply of some megabytes would delay everybody else's. */
const NODES_AT_ONCE = 100

/**
 * @param clockMs what a test says the server's clock is
 * @throws what the server answers, or the connection failed with
 */
export async function readHeartbeats(
  client: RedisClient,
  namespace: string,
  clockMs?: number,
): Promise<KeptHeartbeats> {
  const { ends, heartbeats } = fleetKeys(namespace)
  // From one server: those of a Cluster have clocks of their own.
  const [time, members] = await ask(client, namespace, [
    ['TIME'],
    ['ZRANGE', ends, '0', '-1', 'WITHSCORES'],
  ])
  const nowMs = clockMs ?? millisecondsOf(time)
  const nodes = scoredOf(members).filter(([, endsMs]) => endsMs > nowMs)
  const kept: KeptHeartbeat[] = []
  for (let i = 0; i < nodes.length; i += NODES_AT_ONCE) {
    const some = nodes.slice(i, i + NODES_AT_ONCE)
    const names = some.map(([node]) => node)
    const [reply] = await ask(client, namespace, [['HMGET', heartbeats, ...names]])
    for (const [j, text] of listOf(reply).entries()) {
      const [node, endsMs] = some[j] ?? ['', 0]
      if (text !== null) kept.push(...heartbeatIn(textOf(text), { node, leftMs: endsMs - nowMs }))
    }
  }
  return { nowMs, heartbeats: kept }
}

/** It stands behind how long it was to be kept. */
function heartbeatIn(
  text: string,
  { node, leftMs }: { readonly node: string; readonly leftMs: number },
): readonly KeptHeartbeat[] {
  const [, livesMs, report] = /^(\d{1,6}):(.*)$/s.exec(text) ?? []
  if (livesMs === undefined || report === undefined) return []
  // A clock that was set back leaves more than there was.
  return [{ node, report, ageMs: Math.max(0, Number(livesMs) - leftMs), leftMs }]
}

async function ask(
  client: RedisClient,
  namespace: string,
  commands: readonly (readonly [command: string, ...args: string[]])[],
): Promise<readonly Reply[]> {
  const hashTag = hashTagOf(fleetKeys(namespace).ends)
  const calls = commands.map(([command, ...args]) => ({
    hashTag,
    send: (to: Pick<RedisClient, 'callBuffer'>) => to.callBuffer(command, ...args),
  }))
  try {
    return await Promise.all(sendTogether(client, calls))
  } catch (error) {
    throw withoutCommand(error)
  }
}
