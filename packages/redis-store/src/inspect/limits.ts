/** What is counted of the keys of limiters: as it was written last, because only a decision brings it up to date. */

import { millisecondsOf, numberOf } from '../commands/replies.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { BLOCK_ENDING } from '../key-layout.ts'
import { askTogether, type KeyCommand, WRONG_TYPE } from './commands.ts'
import type { Inspected } from './inspected.ts'
import { type Looked, literally, mapScan, type ScanOptions, scanServers } from './scan.ts'

export interface LimitRow {
  readonly limiter: string
  readonly key: string
  /** The policy that counts; `undefined` for a block, which is there beside the policies. */
  readonly policy: string | undefined
  /** The policy's algorithm, or `block`. */
  readonly algorithm: string
  /** What was counted when it was written last; of `smooth`, how many calls the bucket lacks. `undefined` where it cannot be told. */
  readonly used: number | undefined
  /** Until it is forgotten, or the block ends, ms. */
  readonly leftMs: number
}

const US_PER_MS = 1_000
const HEAD_BYTES = 72

/** A key of a limiter, taken apart. */
interface LimitPlace {
  readonly place: string
  readonly limiter: string
  readonly key: string
  readonly policy: string | undefined
  readonly algorithm: string
}

export function scanLimits(
  inspection: Inspected,
  namespace: string,
  options: ScanOptions,
): AsyncGenerator<Looked<LimitRow>, void, undefined> {
  const start = `{${namespace}:limit:`
  const scan = scanServers(inspection.servers(), `${literally(start)}*}:*`, options)
  return mapScan(scan, (keys) =>
    readLimits(
      inspection.client,
      keys.flatMap((key) => placeOf(key, start) ?? []),
    ),
  )
}

function placeOf(place: string, start: string): LimitPlace | undefined {
  const brace = place.lastIndexOf('}')
  const inner = place.slice(start.length, brace)
  // Names of limiters have no colon, and keys may.
  const colon = inner.indexOf(':')
  if (!place.startsWith(start) || colon < 0) return undefined
  const of = { place, limiter: inner.slice(0, colon), key: inner.slice(colon + 1) }
  const ending = place.slice(brace + 1)
  if (ending === BLOCK_ENDING) return { ...of, policy: undefined, algorithm: 'block' }
  const [, policy, algorithm = ''] = /^:(.*):([a-z]+)$/.exec(ending) ?? []
  return policy === undefined ? undefined : { ...of, policy, algorithm }
}

async function readLimits(
  client: RedisClient,
  places: readonly LimitPlace[],
): Promise<readonly LimitRow[]> {
  if (places.length === 0) return []
  const time = await client.time()
  const nowUs = millisecondsOf(time) * US_PER_MS
  const replies = await askTogether(
    client,
    places.flatMap(({ place, algorithm }): KeyCommand[] => [
      algorithm === 'concurrency'
        ? ['ZCOUNT', place, `(${nowUs}`, '+inf']
        : ['GETRANGE', place, '0', String(HEAD_BYTES - 1)],
      ['STRLEN', place],
      ['PTTL', place],
    ]),
  )
  return places.map(({ place: _, ...row }, i) => {
    const [state, length, left] = replies.slice(3 * i, 3 * i + 3)
    const used = state === WRONG_TYPE ? undefined : usedOf(row.algorithm, state, { length, nowUs })
    return { ...row, used, leftMs: Math.max(0, numberOf(left)) }
  })
}

const DOUBLE = 8

/** Where each algorithm keeps its count; its file in lua/includes says how. */
function usedOf(
  algorithm: string,
  state: unknown,
  { length, nowUs }: { readonly length: unknown; readonly nowUs: number },
): number | undefined {
  if (algorithm === 'concurrency') return numberOf(state)
  if (!Buffer.isBuffer(state)) return undefined
  const at = (position: number): number | undefined =>
    state.length >= DOUBLE * (position + 1) ? state.readDoubleBE(DOUBLE * position) : undefined
  switch (algorithm) {
    case 'exact':
      return typeof length === 'number' ? Math.max(0, (length - 4 * DOUBLE) / DOUBLE) : undefined
    case 'fixed':
    case 'calendar':
      return at(3)
    case 'window':
      return at(5)
    case 'smooth': {
      const [full, interval] = [at(0), at(5)]
      if (full === undefined || interval === undefined || interval <= 0) return undefined
      return Math.max(0, Math.ceil((full - nowUs) / interval))
    }
    default:
      return undefined
  }
}
