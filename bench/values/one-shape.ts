/** What does a value of one shape cost, by its size: written, read, and as a remote hit beside a plain client? (P14, P15) */

import { msgpackCodec } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { managerFor, readAll } from '../growth/kit.ts'
import { type Contestant, compare, processorNs } from '../harness.ts'
import { shapeNamed } from './shapes.ts'

export interface Size {
  readonly name: string
  /** About so many bytes as JSON. */
  readonly bytes: number
}

/** Times of one size, in nanoseconds: of the processor for what waits for nobody, else as a caller waits. */
export interface ValueCost {
  readonly shape: string
  readonly size: string
  readonly jsonBytes: number
  readonly storedBytes: number
  readonly stringifyNs: number
  readonly encodeNs: number
  readonly parseNs: number
  /** Decoded and frozen. */
  readonly decodeNs: number
  readonly plainHitNs: number
  readonly hitNs: number
}

const CALLERS = 8
const KEYS = 8
/** How many bytes a round works on, so that small values are timed many at a time. */
const BYTES_A_ROUND = 2_000_000

/** Asks for each size in turn. */
export async function oneShape(
  url: string,
  shape: string,
  sizes: readonly Size[],
  rounds: number,
): Promise<readonly ValueCost[]> {
  const costs: ValueCost[] = []
  for (const size of sizes) costs.push(await costOf(url, shape, size, rounds))
  return costs
}

async function costOf(url: string, shape: string, size: Size, rounds: number): Promise<ValueCost> {
  const value = shapeNamed(shape).make(size.bytes)
  const codec = msgpackCodec()
  const text = JSON.stringify(value)
  const bytes = Buffer.from(codec.encode(value))
  const times = Math.max(1, Math.round(BYTES_A_ROUND / size.bytes))
  const repeated = (name: string, work: () => unknown): Contestant => ({
    name,
    round: async () => {
      for (let i = 0; i < times; i++) work()
      return times
    },
  })
  const [stringify, encode, parse, decode] = await compare(
    [
      repeated('JSON.stringify', () => JSON.stringify(value)),
      repeated('encode', () => codec.encode(value)),
      repeated('JSON.parse', () => JSON.parse(text)),
      repeated('decode, frozen', () => codec.decodeFrozen?.(bytes)),
    ],
    rounds,
    processorNs,
  )
  const [plainHit, hit] = await hits(url, { value, text, times: times * CALLERS, rounds })
  return {
    shape,
    size: size.name,
    jsonBytes: Buffer.byteLength(text),
    storedBytes: bytes.length,
    stringifyNs: stringify?.nsPerOp ?? Number.NaN,
    encodeNs: encode?.nsPerOp ?? Number.NaN,
    parseNs: parse?.nsPerOp ?? Number.NaN,
    decodeNs: decode?.nsPerOp ?? Number.NaN,
    plainHitNs: plainHit?.nsPerOp ?? Number.NaN,
    hitNs: hit?.nsPerOp ?? Number.NaN,
  }
}

interface Hits {
  readonly value: unknown
  readonly text: string
  readonly times: number
  readonly rounds: number
}

/** A plain client that GETs and parses, and a cache without a local tier. */
async function hits(url: string, { value, text, times, rounds }: Hits) {
  const client = new Redis(url)
  await using caches = managerFor('bench-values', { url })
  const cache = caches.cache('values')
  for (let key = 0; key < KEYS; key++) {
    await client.set(`values:${key}`, text)
    await cache.set(`${key}`, value)
  }
  const reading = (name: string, read: (key: string) => Promise<unknown>): Contestant => ({
    name,
    round: () => readAll((index) => read(`${index % KEYS}`), times, CALLERS),
  })
  const timed = await compare(
    [
      reading('plain ioredis GET + JSON.parse', async (key) =>
        JSON.parse((await client.get(`values:${key}`)) ?? ''),
      ),
      reading('Larder', async (key) => found(await cache.get(key))),
    ],
    rounds,
  )
  client.disconnect()
  return timed
}

function found(value: unknown): unknown {
  if (value === undefined) throw new Error('A read was a miss: this did not measure hits')
  return value
}
