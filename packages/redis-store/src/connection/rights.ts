/**
 * What a Redis user must be allowed to, found out by trying it on an unused key and channel: nothing is changed,
 * and no right of an administrator is needed for it.
 */

import { StoreRefusedError } from '@larder/core'
import { HARMLESS, type NeededCommand } from './harmless-commands.ts'
import { MESSAGING_COMMANDS } from './messaging-rights.ts'
import type { RedisClient } from './redis-client.ts'
import { refusalOf } from './refusal.ts'

/** What a connection is used for. */
export type Use = 'cache' | 'locks' | 'limits' | 'sessions' | 'values' | 'fleet' | KeptUse
type KeptUse = 'boards' | 'structures' | 'writes' | keyof typeof MESSAGING_COMMANDS

/** Commands by use. `subscribe` is not among them: its missing rights show when it is tried. */
export const COMMANDS: Readonly<Record<Use, readonly NeededCommand[]>> = {
  cache: [
    'append',
    'eval',
    'evalsha',
    'get',
    'getrange',
    'mget',
    'pexpire',
    'ping',
    'pttl',
    'publish',
    'set',
    'setrange',
    'time',
    'unlink',
    'zadd',
    'zcard',
    'zcount',
    'zmscore',
    'zrange',
    'zrangebyscore',
    'zrem',
    'zremrangebyrank',
    'zremrangebyscore',
    'zrevrangebyscore',
    'zscore',
  ],
  locks: [
    'eval',
    'evalsha',
    'exists',
    'hdel',
    'hget',
    'hset',
    'pexpire',
    'ping',
    'pttl',
    'publish',
    'time',
    'zadd',
    'zcard',
    'zrange',
    'zrangebyscore',
    'zrank',
    'zrem',
    'zremrangebyscore',
    'zscore',
  ],
  limits: [
    'append',
    'eval',
    'evalsha',
    'exists',
    'get',
    'getrange',
    'pexpire',
    'ping',
    'publish',
    'set',
    'setrange',
    'strlen',
    'time',
    'unlink',
    'zadd',
    'zcount',
    'zrange',
    'zrangebyscore',
    'zrem',
    'zremrangebyscore',
    'zscore',
  ],
  fleet: [
    'eval',
    'evalsha',
    'hdel',
    'hmget',
    'hset',
    'pexpire',
    'ping',
    'time',
    'unlink',
    'zadd',
    'zcard',
    'zrange',
    'zrangebyscore',
    'zrem',
    'zremrangebyscore',
    'zscore',
  ],
  boards: [
    'eval',
    'evalsha',
    'exists',
    'get',
    'hdel',
    'hexists',
    'hget',
    'hkeys',
    'hlen',
    'hmget',
    'hset',
    'pexpire',
    'pfadd',
    'pfcount',
    'pfmerge',
    'ping',
    'pttl',
    'sadd',
    'scard',
    'set',
    'smembers',
    'sunion',
    'time',
    'unlink',
    'zadd',
    'zcard',
    'zcount',
    'zrange',
    'zrank',
    'zrem',
    'zscore',
  ],
  structures: [
    'eval',
    'evalsha',
    'hdel',
    'hgetall',
    'hlen',
    'hmget',
    'hset',
    'pexpire',
    'ping',
    'pttl',
    'time',
    'unlink',
    'zadd',
    'zcard',
    'zrange',
    'zrem',
    'zrevrange',
    'zscore',
  ],
  sessions: [
    'eval',
    'evalsha',
    'getrange',
    'pexpire',
    'ping',
    'set',
    'setrange',
    'time',
    'unlink',
    'zadd',
    'zcard',
    'zrange',
    'zrangebyscore',
    'zrem',
    'zremrangebyrank',
    'zremrangebyscore',
    'zscore',
  ],
  writes: [
    'eval',
    'evalsha',
    'hdel',
    'hget',
    'hlen',
    'hmget',
    'hset',
    'ping',
    'time',
    'zadd',
    'zcount',
    'zrange',
    'zrangebyscore',
    'zrem',
    'zscore',
  ],
  ...MESSAGING_COMMANDS,
  values: ['eval', 'evalsha', 'get', 'mget', 'ping', 'set', 'time', 'zrem'],
}

/** The missing rights of a user; empty when there are none. */
export interface MissingRights {
  readonly commands: readonly string[]
  readonly keys: boolean
  readonly channels: boolean
}

/** @throws what the connection failed with */
export async function missingRights(
  client: RedisClient,
  namespace: string,
  uses: Iterable<Use>,
): Promise<MissingRights> {
  const names = [...new Set([...uses].flatMap((use) => COMMANDS[use]))].sort()
  const answers = await Promise.all(names.map((name) => attempt(client, namespace, name)))
  const said = answers.flatMap((words, i) => (words === undefined ? [] : [{ words, i }]))
  return {
    commands: said
      .filter(({ words }) => !/\b(keys?|channels?)\b/i.test(words))
      .map(({ i }) => names[i] as string),
    keys: said.some(({ words }) => /\bkeys?\b/i.test(words)),
    channels: said.some(({ words }) => /\bchannels?\b/i.test(words)),
  }
}

/** One sentence about all that is missing; `undefined` when nothing is. */
export function rightsError(
  namespace: string,
  { commands, keys, channels }: MissingRights,
): StoreRefusedError | undefined {
  const parts = [
    ...(commands.length > 0 ? [`the commands ${commands.join(' ')}`] : []),
    ...(keys ? [`keys that begin with {${namespace}: (~{${namespace}:*)`] : []),
    ...(channels ? [`channels that begin with ${namespace}: (&${namespace}:*)`] : []),
  ]
  if (parts.length === 0) return undefined
  const words = `its user has no right to ${parts.join(', and to ')}. docs/guides/operations.md lists what is needed.`
  return new StoreRefusedError('a check of rights', 'rights', words)
}

/** The server's answer to a command that the user may not use like this. */
async function attempt(
  client: RedisClient,
  namespace: string,
  name: NeededCommand,
): Promise<string | undefined> {
  const args = HARMLESS[name].map((arg) => {
    if (arg === 'KEY') return `{${namespace}:rights}`
    return arg === 'CHANNEL' ? `${namespace}:rights` : arg
  })
  try {
    await client.call(name, ...args)
    return undefined
  } catch (error) {
    const isReply = error instanceof Error && error.name === 'ReplyError'
    if (!isReply) throw error
    return refusalOf(error) === 'rights' ? error.message : undefined
  }
}
