/** Goes through the keys of all masters by SCAN, which never blocks a server for long, and says how far it has come. */

import { listOf, numberOf, textOf } from '../commands/replies.ts'
import { refused } from '../connection/refusal.ts'
import type { InspectedServer } from './server.ts'

export interface ScanOptions {
  /** The scan ends when so many keys were looked at; those of other applications count. @default no end */
  readonly most?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A step of a scan. */
export interface Looked<Item> {
  readonly items: readonly Item[]
  /** How many keys were looked at so far, about. */
  readonly lookedAt: number
  /** True in the last step, when no key was left out. */
  readonly isComplete: boolean
  /** Where the items were found. */
  readonly server: InspectedServer
}

/** How many keys a server looks at in one step. */
const LOOKED_AT_PER_STEP = 500

/** Keys that match a pattern, each at least once. */
export async function* scanServers(
  servers: readonly InspectedServer[],
  pattern: string,
  { most = Number.POSITIVE_INFINITY, signal }: ScanOptions = {},
): AsyncGenerator<Looked<string>, void, undefined> {
  let lookedAt = 0
  for (const [position, server] of servers.entries()) {
    let cursor = '0'
    do {
      signal?.throwIfAborted()
      const [next, items] = await step(server, cursor, pattern)
      cursor = next
      lookedAt += LOOKED_AT_PER_STEP
      const isComplete = cursor === '0' && position === servers.length - 1
      yield { items, lookedAt, isComplete, server }
      if (lookedAt >= most) return
    } while (cursor !== '0')
  }
}

/** Makes other items of what a scan finds, step by step; several steps' worth is never held. */
export async function* mapScan<Item, Result>(
  scan: AsyncIterable<Looked<Item>>,
  map: (items: readonly Item[]) => Promise<readonly Result[]> | readonly Result[],
): AsyncGenerator<Looked<Result>, void, undefined> {
  for await (const step of scan) yield { ...step, items: await map(step.items) }
}

/** Written so that SCAN takes it literally. */
export function literally(text: string): string {
  return text.replace(/[\\*?[\]]/g, (char) => `\\${char}`)
}

async function step(
  server: InspectedServer,
  cursor: string,
  pattern: string,
): Promise<readonly [cursor: string, keys: readonly string[]]> {
  try {
    const [next, keys] = await server.list(
      ...(['SCAN', cursor, 'MATCH', pattern, 'COUNT'] as const),
      String(LOOKED_AT_PER_STEP),
    )
    return [String(numberOf(next) === 0 ? '0' : textOf(next)), listOf(keys).map(textOf)]
  } catch (error) {
    throw refused('scan', error)
  }
}
