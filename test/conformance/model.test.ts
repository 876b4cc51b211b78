/**
 * The in-memory model and the Redis scripts give the same answers to the same random histories.
 *
 * Numbers and times differ, so they are compared by what they stand for: the n-th number a store gave out, the same flags,
 * the same keys. Nothing here depends on how fast either side is.
 */

import {
  decodeHeader,
  type EntryAddress,
  encodeEntry,
  HEADER_BYTES,
  type MutationReply,
  type RemoteStore,
} from '@larder/core/store'
import { MemoryServer } from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { describe, expect, inject, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type Random, withSeed } from '../support/seed.ts'

const HOUR_MS = 3_600_000
const STEPS = 400
const KEYS = ['a', 'b', 'c', 'ü', 'z'] as const
const TAGS = ['t1', 't2', 't3', '*'] as const

/** Two of which nothing else is known. */
const PARTITIONS = [0, 1] as const

/** One store and what it gave out so far, by the order in which it did. */
interface Side {
  readonly store: RemoteStore
  readonly seqs: number[]
  readonly versions: number[]
}

/** Runs on both sides alike; what it returns must be the same. */
type Move = (side: Side) => Promise<unknown>

describe('MemoryServer', () => {
  it('answers as the Redis scripts do', () =>
    withSeed(async (random) => {
      const namespace = freshNamespace()
      const redis = await sideOf(redisStore({ url: inject('redisUrl') }), namespace)
      const model = await sideOf(new MemoryServer().store({ gathersChanges: true }), namespace)
      try {
        const history: string[] = []
        for (let step = 0; step < STEPS; step++) {
          const [name, move] = randomMove(random, step)
          history.push(name)
          const [answer, expected] = [await move(redis), await move(model)]
          expect(answer, history.slice(-20).join('\n')).toEqual(expected)
        }
      } finally {
        await Promise.all([redis.store.bus?.close(), redis.store.close(), model.store.close()])
      }
    }))
})

async function sideOf(store: RemoteStore, namespace: string): Promise<Side> {
  store.open(namespace)
  // A script that the server does not know yet runs a little later, after others of its tick.
  const elsewhere = { partition: 2, key: 'c:first' }
  await store.put(elsewhere, { bytes: Buffer.alloc(HEADER_BYTES), livesMs: HOUR_MS, since: 0 })
  await store.evict([elsewhere], { soft: false, settleMs: 0 })
  const { heads, tags } = await store.sync([0])
  return { store, seqs: [heads[0] ?? 0], versions: [tags?.version ?? 0] }
}

function randomMove(random: Random, step: number): readonly [name: string, Move] {
  const address: EntryAddress = { partition: 0, key: `c:${random.pick(KEYS)}` }
  const makers = [
    claiming,
    claiming,
    filling,
    filling,
    releasing,
    putting,
    swapping,
    swapping,
    evicting,
    changingTogether,
    changingTogether,
    tagging,
    asking,
  ]
  const [name, move] = random.pick(makers)(random, address, step)
  return [
    `${name} ${address.key}`,
    async (side) => ({ answer: await move(side), left: await headerOf(side, address) }),
  ]
}

function claiming(random: Random, address: EntryAddress): readonly [string, Move] {
  const request = {
    token: 1 + random.int(3),
    leaseMs: HOUR_MS,
    seen: random.int(4),
    overtake: random.chance(0.2) ? 1 + random.int(3) : 0,
  }
  return [
    `claim ${JSON.stringify(request)}`,
    async ({ store }) => {
      const reply = await store.claim(address, request)
      if (reply.kind === 'held') return [reply.kind, reply.holder]
      return [reply.kind, reply.kind === 'filled' ? decodeHeader(reply.bytes)?.commit : 0]
    },
  ]
}

function filling(random: Random, address: EntryAddress): readonly [string, Move] {
  const token = 1 + random.int(3)
  const { bytes, livesMs } = randomEntry(random)
  return [
    `fill ${token}`,
    async ({ store }) => {
      const reply = await store.fill(address, token, bytes, livesMs)
      return reply.stored ? roughly(reply.livesMs) : 'refused'
    },
  ]
}

function releasing(random: Random, address: EntryAddress): readonly [string, Move] {
  const token = 1 + random.int(3)
  if (random.chance(0.5)) return [`release ${token}`, ({ store }) => store.release(address, token)]
  return [`renew ${token}`, ({ store }) => store.renew(address, token, 2 * HOUR_MS)]
}

function putting(random: Random, address: EntryAddress): readonly [string, Move] {
  const { bytes, livesMs } = randomEntry(random)
  const back = random.chance(0.5) ? random.int(20) : undefined
  return [
    `put since ${back}`,
    async (side) => {
      const since = back === undefined ? 0 : (side.seqs.at(-1 - back) ?? 1)
      const reply = await side.store.put(address, { bytes, livesMs, since })
      side.seqs.push(reply.seq)
      return [reply.stored, side.seqs.indexOf(reply.previous)]
    },
  ]
}

function swapping(random: Random, address: EntryAddress): readonly [string, Move] {
  const { bytes, livesMs } = randomEntry(random)
  const back = random.chance(0.5) ? random.int(6) : undefined
  const rest = { bytes: random.chance(0.2) ? Buffer.alloc(0) : bytes, livesMs, seen: random.int(4) }
  return [
    `swap seen ${rest.seen} since ${back} bytes ${rest.bytes.length}`,
    async (side) => {
      const since = back === undefined ? 0 : (side.seqs.at(-1 - back) ?? 1)
      const reply = await side.store.swap?.(address, { ...rest, since })
      if (reply === undefined) return 'no such method'
      if (!reply.stored) {
        const there = reply.bytes === undefined ? undefined : decodeHeader(reply.bytes)
        return ['refused', side.seqs.indexOf(reply.seq), there?.commit, there?.flags]
      }
      side.seqs.push(reply.seq)
      return ['stored', side.seqs.indexOf(reply.previous)]
    },
  ]
}

function evicting(random: Random, address: EntryAddress): readonly [string, Move] {
  const request = {
    soft: random.chance(0.4),
    settleMs: random.chance(0.4) ? HOUR_MS / 2 : 0,
  }
  const others = random.shuffle(KEYS).slice(0, random.int(3))
  const addresses = [address, ...others.map((key) => ({ partition: 0, key: `c:${key}` }))]
  return [
    `evict ${JSON.stringify(request)} ${others}`,
    async (side) => {
      const [reply] = await side.store.evict(addresses, request)
      side.seqs.push(reply?.seq ?? 0)
      return side.seqs.indexOf(reply?.previous ?? 0)
    },
  ]
}

/** Several puts and evictions in one tick: which of them are stored, which share a number, in which order, and what is left. */
function changingTogether(random: Random): readonly [string, Move] {
  const count = 2 + random.int(5)
  const makers = Array.from({ length: count }, () =>
    random.chance(0.6) ? oneOfManyPuts(random) : oneOfManyEvictions(random),
  )
  return [
    `together: ${makers.map(([name]) => name).join('; ')}`,
    async (side) => {
      const replies = (await Promise.all(makers.map(([, ask]) => ask(side)))).flat()
      const numbers = [...new Set(replies.map(({ seq }) => seq))].sort((a, b) => a - b)
      const own = replies.filter(({ partition }) => partition === 0).map(({ seq }) => seq)
      const before = side.seqs.at(-1)
      side.seqs.push(...[...new Set(own)].sort((a, b) => a - b))
      const addresses = PARTITIONS.flatMap((partition) =>
        KEYS.map((key) => ({ partition, key: `c:${key}` })),
      )
      return {
        answers: replies.map(({ partition, stored, previous, seq }) => ({
          partition,
          stored,
          number: partition === 0 ? side.seqs.indexOf(seq) : numbers.indexOf(seq) >= 0,
          previous: partition === 0 ? side.seqs.indexOf(previous) : 'of another partition',
        })),
        isInARow: own.length === 0 || replies.some(({ previous }) => previous === before),
        left: await Promise.all(addresses.map((address) => headerOf(side, address))),
        changes: await side.store.changesSince(0, before ?? 0).then((changes) => ({
          ...changes,
          seq: side.seqs.indexOf(changes.seq),
          numbers:
            changes.kind === 'delta' && changes.numbers?.map((number) => side.seqs.indexOf(number)),
        })),
      }
    },
  ]
}

type OneOfMany = readonly [
  name: string,
  ask: (side: Side) => Promise<readonly (MutationReply & { readonly stored?: boolean })[]>,
]

function oneOfManyPuts(random: Random): OneOfMany {
  const address = { partition: random.pick(PARTITIONS), key: `c:${random.pick(KEYS)}` }
  const { bytes, livesMs } = randomEntry(random)
  const back = random.chance(0.6) ? random.int(6) : undefined
  return [
    `put ${address.partition} ${address.key} since ${back}`,
    async ({ store, seqs }) => {
      const isKnown = back !== undefined && address.partition === 0
      const since = isKnown ? (seqs.at(-1 - back) ?? 1) : 0
      return [await store.put(address, { bytes, livesMs, since })]
    },
  ]
}

function oneOfManyEvictions(random: Random): OneOfMany {
  const request = { soft: random.chance(0.4), settleMs: random.chance(0.3) ? HOUR_MS / 2 : 0 }
  const partition = random.pick(PARTITIONS)
  const keys = random.shuffle(KEYS).slice(0, 1 + random.int(3))
  return [
    `evict ${partition} ${keys} ${JSON.stringify(request)}`,
    ({ store }) =>
      store.evict(
        keys.map((key) => ({ partition, key: `c:${key}` })),
        request,
      ),
  ]
}

function tagging(random: Random): readonly [string, Move] {
  const tags = random.shuffle(TAGS).slice(0, 1 + random.int(3))
  const lead = random.pick([-1_000, 0, 1_000_000])
  return [
    `bump ${tags} ${lead}`,
    async ({ store, versions }) => {
      const known = (versions.at(-1) ?? 0) + lead
      const bump = await store.bumpTags(tags, known, HOUR_MS)
      versions.push(bump.version)
      return [versions.indexOf(bump.previous), bump.version > known]
    },
  ]
}

function asking(random: Random, _: EntryAddress, step: number): readonly [string, Move] {
  const back = random.int(step + 1)
  if (random.chance(0.5)) {
    return [
      `tags since -${back}`,
      async ({ store, versions }) => {
        const changes = await store.tagsSince(versions.at(-1 - back) ?? 0)
        return [changes.tags.map(([tag]) => tag), versions.indexOf(changes.version)]
      },
    ]
  }
  return [
    `changes since -${back}`,
    async ({ store, seqs }) => {
      const changes = await store.changesSince(0, seqs.at(-1 - back) ?? 1)
      return [changes.kind, changes.kind === 'delta' ? changes.keys : [], seqs.indexOf(changes.seq)]
    },
  ]
}

function randomEntry(random: Random): { readonly bytes: Buffer; readonly livesMs: number } {
  const livesMs = random.pick([HOUR_MS / 4, HOUR_MS, 4 * HOUR_MS])
  const freshForMs = random.pick([0, livesMs / 2, livesMs])
  const life = { freshForMs, staleForMs: livesMs, livesForMs: livesMs }
  const rest = { flags: 0, birth: 1, loadMs: 1, schema: 0, steps: [], tags: [] }
  const payload = random.bytes(random.int(20))
  return { bytes: encodeEntry({ ...life, ...rest, commit: 1 + random.int(3), payload }), livesMs }
}

/** What the store holds of an entry now, as far as it does not depend on the time. */
async function headerOf({ store }: Side, address: EntryAddress): Promise<unknown> {
  const [bytes] = await store.read([address])
  const header = bytes === undefined ? undefined : decodeHeader(bytes)
  if (bytes === undefined || header === undefined) return 'nothing'
  const { flags, commit, leaseToken } = header
  const times = [header.freshForMs, header.staleForMs, header.livesForMs].map(roughly)
  return { flags, commit, leaseToken, times, length: bytes.length }
}

/** A duration without what a slow machine adds to it. */
function roughly(ms: number): number {
  return Math.round(ms / (HOUR_MS / 60))
}
