/** Reads entries: one by GET, several by MGET; in a Cluster by one pipeline per master. */

import { type EntryAddress, HEADER_BYTES } from '@larder/core/store'
import { bytesOf, listOf } from '../commands/replies.ts'
import { type Command, sendTogether } from '../commands/send-together.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { isWrongType } from '../connection/redis-error.ts'
import { refused } from '../connection/refusal.ts'
import { entryKey, hashTagOf } from '../key-layout.ts'

/** A longer MGET keeps other clients waiting. */
const KEYS_PER_COMMAND = 500

type Found = readonly (Buffer | undefined)[]

/** Reads whole entries, in order. The buffers may be views of a larger one: copy them to keep them for long. */
export function readEntries(
  client: RedisClient,
  namespace: string,
  addresses: readonly EntryAddress[],
): Promise<Found> {
  const [first] = addresses
  if (first === undefined) return Promise.resolve([])
  if (isCluster(client) || addresses.length > KEYS_PER_COMMAND) {
    return readInGroups(client, namespace, addresses)
  }
  if (addresses.length > 1) {
    return client.mgetBuffer(keysOf(namespace, addresses)).then(foundOf, rethrow)
  }
  const key = entryKey(namespace, first.partition, first.key)
  return client.getBuffer(key).then(foundOnly, noneIfForeign)
}

async function readInGroups(
  client: RedisClient,
  namespace: string,
  addresses: readonly EntryAddress[],
): Promise<Found> {
  const groups = groupsOf(addresses, isCluster(client))
  const commands = groups.map((positions): Command => {
    const own = positions.map((position) => addresses[position] as EntryAddress)
    const keys = keysOf(namespace, own)
    return { hashTag: hashTagOf(keys[0] as string), send: (to) => to.mgetBuffer(keys) }
  })
  const replies = await Promise.all(sendTogether(client, commands)).catch(rethrow)
  const found = new Array<Buffer | undefined>(addresses.length)
  for (const [i, positions] of groups.entries()) {
    const values = listOf(replies[i])
    for (const [j, position] of positions.entries()) found[position] = entryOf(values[j])
  }
  return found
}

/** Reads the header of each entry, in order. */
export async function readEntryHeaders(
  client: RedisClient,
  namespace: string,
  addresses: readonly EntryAddress[],
): Promise<Found> {
  const commands = keysOf(namespace, addresses).map(
    (key): Command => ({
      hashTag: hashTagOf(key),
      send: (to) => to.getrangeBuffer(key, 0, HEADER_BYTES - 1),
    }),
  )
  const answers = sendTogether(client, commands).map((answer) => answer.then(headerOf, noHeaderOf))
  return Promise.all(answers)
}

function headerOf(reply: unknown): Buffer | undefined {
  const bytes = bytesOf(reply)
  return bytes.length === 0 ? undefined : bytes
}

/** A value of another type is not an entry, and must not fail the others. */
function noHeaderOf(error: unknown): undefined {
  return isWrongType(error) ? undefined : rethrow(error)
}

function foundOnly(found: Buffer | null): Found {
  return [found ?? undefined]
}

/** The answer of MGET for keys that hold another type. */
function noneIfForeign(error: unknown): Found {
  return isWrongType(error) ? [undefined] : rethrow(error)
}

function foundOf(found: (Buffer | null | undefined)[]): Found {
  for (let i = 0; i < found.length; i++) found[i] ??= undefined
  return found as Found
}

/** Positions that one command reads: of one partition where a command needs one slot, and not too many. */
function groupsOf(
  addresses: readonly EntryAddress[],
  isByPartition: boolean,
): readonly (readonly number[])[] {
  const groups: number[][] = []
  const open = new Map<number, number[]>()
  for (const [position, { partition }] of addresses.entries()) {
    const id = isByPartition ? partition : 0
    const group = open.get(id)
    if (group !== undefined && group.length < KEYS_PER_COMMAND) {
      group.push(position)
      continue
    }
    const next = [position]
    open.set(id, next)
    groups.push(next)
  }
  return groups
}

function keysOf(namespace: string, addresses: readonly EntryAddress[]): readonly string[] {
  return addresses.map(({ partition, key }) => entryKey(namespace, partition, key))
}

function entryOf(value: unknown): Buffer | undefined {
  return value === null || value === undefined ? undefined : bytesOf(value)
}

function rethrow(error: unknown): never {
  throw refused('read', error)
}
