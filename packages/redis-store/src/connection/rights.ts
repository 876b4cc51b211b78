/**
 * What a Redis user must be allowed to, found out by trying it on an unused key and channel: nothing is changed,
 * and no right of an administrator is needed for it.
 */

import { StoreRefusedError } from '@larder/core'
import { HARMLESS, type NeededCommand } from './harmless-commands.ts'
import { COMMANDS, type Use } from './needed-commands.ts'
import type { RedisClient } from './redis-client.ts'
import { refusalOf } from './refusal.ts'

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
