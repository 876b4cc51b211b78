/** What does a remote hit cost by the size of its value, next to a plain client that GETs and parses JSON? */

import { Redis } from 'ioredis'
import { type Contestant, compare } from '../harness.ts'
import { type Growth, managerFor, pointsOf, readAll } from './kit.ts'

const KEYS = 8
const CALLERS = 8
const TEXT = 'the quick brown fox jumps over the lazy dog '

/** A list of small records, of about so many bytes as JSON. */
export function payloadOf(bytes: number): readonly object[] {
  const records: object[] = []
  for (let length = 2; length < bytes; ) {
    const record = { id: records.length, name: TEXT.slice(0, 20), price: records.length * 1.25 }
    records.push(record)
    length += JSON.stringify(record).length + 1
  }
  return records
}

export async function byPayload(
  url: string,
  sizes: readonly { readonly name: string; readonly bytes: number; readonly reads: number }[],
  rounds: number,
): Promise<Growth> {
  const client = new Redis(url)
  const plain = managerFor('bench-payload', { url })
  const packed = managerFor('bench-payload-packed', { url, isCompressed: true })
  const contestants: Contestant[] = []
  for (const { name, bytes, reads } of sizes) {
    const value = payloadOf(bytes)
    const [cache, smaller] = [plain.cache(`p${bytes}`), packed.cache(`p${bytes}`)]
    for (let key = 0; key < KEYS; key++) {
      await client.set(`payload:${bytes}:${key}`, JSON.stringify(value))
      await Promise.all([cache.set(`${key}`, value), smaller.set(`${key}`, value)])
    }
    const add = (who: string, read: (key: string) => Promise<unknown>): void => {
      contestants.push({
        name: `${who}: ${name}`,
        round: () => readAll((index) => read(`${index % KEYS}`), reads, CALLERS),
      })
    }
    add('plain ioredis GET + JSON.parse', async (key) =>
      JSON.parse((await client.get(`payload:${bytes}:${key}`)) ?? ''),
    )
    add('Larder', async (key) => found(await cache.get(key)))
    add('Larder with compression', async (key) => found(await smaller.get(key)))
  }
  const timed = await compare(contestants, rounds)
  client.disconnect()
  await Promise.all([plain.close(), packed.close()])
  return {
    id: 'growth-payload',
    title: `Time of a remote hit, ${CALLERS} callers, by size of the value`,
    points: pointsOf(timed),
  }
}

function found(value: unknown): unknown {
  if (value === undefined) throw new Error('A read was a miss: this did not measure hits')
  return value
}
