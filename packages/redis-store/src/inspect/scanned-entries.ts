/** The entries of a namespace, step by step: their keys, and where it is wanted what their headers say. */

import { decodeEntry, FLAG, HEADER_BYTES, partitionOf, type StoredEntry } from '@larder/core/store'
import { numberOf } from '../commands/replies.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { entryKey, entryPattern, fullKeyOf } from '../key-layout.ts'
import { askTogether, type KeyCommand } from './commands.ts'
import type { Inspected } from './inspected.ts'
import { type Looked, mapScan, type ScanOptions, scanServers } from './scan.ts'

/** An entry that a scan found. */
export interface EntryRow {
  /** Its full key: `products:42`. */
  readonly key: string
  readonly cache: string
  /** What its beginning says, the payload cut off; `undefined` for what is not an entry, and where headers are not wanted. */
  readonly head: StoredEntry | undefined
  /** Bytes in all; `undefined` where headers are not wanted, and where the user has no right to ask. */
  readonly bytes: number | undefined
  /** Until Redis forgets it, ms. */
  readonly leftMs: number
}

/** Enough for the header and usual tags, whatever the size of the value. */
const HEAD_BYTES = 1_024

export function scanEntries(
  inspection: Inspected,
  { namespace, prefix }: { readonly namespace: string; readonly prefix: string },
  { wantsHeaders = false, ...options }: ScanOptions & { readonly wantsHeaders?: boolean },
): AsyncGenerator<Looked<EntryRow>, void, undefined> {
  const scan = scanServers(inspection.servers(), entryPattern(namespace, prefix), options)
  return mapScan(scan, async (found) => {
    // The pattern cannot say where the hash tag ends, so it matches more than was asked for.
    const keys = found.flatMap((key) => {
      const fullKey = fullKeyOf(namespace, key)
      return fullKey?.startsWith(prefix) === true ? [fullKey] : []
    })
    return wantsHeaders ? withHeads(inspection.client, namespace, keys) : keys.map(bare)
  })
}

/** The name of the cache that a full key begins with. */
export function cacheOf(key: string): string {
  const end = key.indexOf(':')
  return end < 0 ? key : key.slice(0, end)
}

/** The whole stored bytes of an entry; `undefined` where there is none. */
export async function readEntryBytes(
  client: RedisClient,
  namespace: string,
  key: string,
): Promise<Buffer | undefined> {
  const [found] = await askTogether(client, [['GET', entryKey(namespace, partitionOf(key), key)]])
  return Buffer.isBuffer(found) ? found : undefined
}

/** What the beginning of an entry says; a second look where its tags are many. */
export async function readHead(
  client: RedisClient,
  key: string,
  beginning: Buffer,
): Promise<StoredEntry | undefined> {
  const length = headLengthOf(beginning)
  if (length <= beginning.length) return decodeEntry(beginning)
  const [whole] = await askTogether(client, [['GETRANGE', key, '0', String(length - 1)]])
  return Buffer.isBuffer(whole) ? decodeEntry(whole) : undefined
}

/** The commands that look at an entry without its value, for `readHead`. */
export function headCommands(key: string): readonly KeyCommand[] {
  return [
    ['GETRANGE', key, '0', String(HEAD_BYTES - 1)],
    ['STRLEN', key],
    ['PTTL', key],
  ]
}

/** Tells whether an entry is only a header: a lease, or the marker of a settle window. */
export function isWithoutValue(head: StoredEntry): boolean {
  return (head.flags & FLAG.empty) !== 0
}

function bare(key: string): EntryRow {
  return { key, cache: cacheOf(key), head: undefined, bytes: undefined, leftMs: 0 }
}

async function withHeads(
  client: RedisClient,
  namespace: string,
  keys: readonly string[],
): Promise<readonly EntryRow[]> {
  const places = keys.map((key) => entryKey(namespace, partitionOf(key), key))
  const replies = await askTogether(client, places.flatMap(headCommands))
  return Promise.all(
    keys.map(async (key, i): Promise<EntryRow> => {
      const [beginning, bytes, leftMs] = replies.slice(3 * i, 3 * i + 3)
      const isText = Buffer.isBuffer(beginning) && beginning.length > 0
      return {
        ...bare(key),
        head: isText ? await readHead(client, places[i] as string, beginning) : undefined,
        bytes: typeof bytes === 'number' ? bytes : undefined,
        leftMs: numberOf(leftMs),
      }
    }),
  )
}

/** Bytes up to the payload, as the header says. */
function headLengthOf(bytes: Buffer): number {
  if (bytes.length < HEADER_BYTES) return 0
  return HEADER_BYTES + bytes.readUInt8(3) + bytes.readUInt16BE(42)
}
