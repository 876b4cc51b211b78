/** Commands by name, to be sent together with others: to the server that has the key, in a Cluster as well. */

import { type Command, sendTogether } from '../commands/send-together.ts'
import type { RedisClient, Reply } from '../connection/redis-client.ts'
import { isWrongType, withoutCommand } from '../connection/redis-error.ts'
import { refusalOf } from '../connection/refusal.ts'
import { hashTagOf } from '../key-layout.ts'

/** What a key of another type than asked for answers. */
export const WRONG_TYPE: unique symbol = Symbol('wrong type')

/** A command about one key, which is its first argument. */
export type KeyCommand = readonly [command: string, key: string, ...args: string[]]

/** Commands that nodes do not need, so that a user may have no right to them; then `undefined` is the answer. */
const DISPENSABLE = ['STRLEN']

/**
 * Sends commands together; their replies in order. A key of another type answers `WRONG_TYPE`.
 *
 * @throws what a server answers otherwise, or the connection failed with
 */
export function askTogether(
  client: RedisClient,
  commands: readonly KeyCommand[],
): Promise<readonly (Reply | typeof WRONG_TYPE)[]> {
  const calls = commands.map(
    ([command, key, ...args]): Command => ({
      hashTag: hashTagOf(key),
      send: (to) => to.callBuffer(command, key, ...args),
    }),
  )
  return Promise.all(
    sendTogether(client, calls).map((answer, i) =>
      answer.catch((error: unknown) => {
        if (isWrongType(error)) return WRONG_TYPE
        const isDispensable = DISPENSABLE.includes(commands[i]?.[0] ?? '')
        if (isDispensable && refusalOf(error) === 'rights') return undefined
        throw withoutCommand(error)
      }),
    ),
  )
}
