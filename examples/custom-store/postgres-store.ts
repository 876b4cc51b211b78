/** A shared tier on PostgreSQL: every step one transaction, messages by NOTIFY. */

import type { PGlite } from '@electric-sql/pglite'
import {
  type Bus,
  type BusListener,
  type BusMessage,
  type EntryAddress,
  HEADER_BYTES,
  type MutationReply,
  type RemoteStore,
} from '@larder/core/store'
import { msgpackCodec } from '@larder/redis-store'
import { claim, fill, release, remove, renew, soften, store } from './entries.ts'
import {
  bumpTags,
  changesSince,
  clockOf,
  headOf,
  isOvertaken,
  record,
  tagsSince,
} from './history.ts'
import { SCHEMA } from './schema.ts'
import { bytesOf, channelOf, inStep, type Step, textOf } from './step.ts'

const SCAN_ROWS = 500

/** Creates a remote store on a PostgreSQL that is there already; closing the store leaves the database open. */
export function postgresStore(postgres: PGlite): RemoteStore {
  let namespace = ''
  let ready: Promise<unknown> = Promise.resolve()
  let isClosed = false
  const step = async <Result>(work: (step: Step) => Promise<Result>): Promise<Result> => {
    if (isClosed) throw new Error('The PostgreSQL store is closed')
    await ready
    return inStep(postgres, namespace, work)
  }
  const readAll = async (
    addresses: readonly EntryAddress[],
    columns: string,
  ): Promise<(Buffer | undefined)[]> => {
    const keys = addresses.map(({ key }) => key)
    const rows = await step(({ query, nowMs }) =>
      query<{ key: Uint8Array; bytes: Uint8Array }>(
        `select key, ${columns} as bytes from larder_entries where namespace = $1 and key = any($2) and expires_at > $3`,
        [namespace, keys.map(bytesOf), nowMs],
      ),
    )
    const found = new Map(rows.map(({ key, bytes }) => [textOf(key), Buffer.from(bytes)]))
    return keys.map((key) => found.get(key))
  }

  return {
    name: 'postgres',
    capabilities: { leases: true, sequences: true, tags: true, publishes: true, scans: true },
    codec: msgpackCodec,
    bus: postgresBus(postgres, () => ready),
    open: (name) => {
      namespace = name
      ready = postgres.exec(SCHEMA)
      // Reported by the first step that waits for it.
      ready.catch(() => undefined)
    },
    read: (addresses) => readAll(addresses, 'bytes'),
    readHeaders: (addresses) => readAll(addresses, `substring(bytes from 1 for ${HEADER_BYTES})`),
    claim: (address, request) => step((at) => claim(at, address, request)),
    renew: ({ key }, token, leaseMs) => step((at) => renew(at, key, token, leaseMs)),
    release: ({ key }, token) => step((at) => release(at, key, token)),
    fill: ({ key }, token, bytes, livesMs) =>
      step((at) => fill(at, key, { token, bytes, livesMs })),
    put: (address, request) =>
      step(async (at) => {
        const { key, partition } = address
        const { bytes, livesMs, since } = request
        const stored = !(await isOvertaken(at, address, since))
        if (stored) await store(at, key, bytes, livesMs)
        else await remove(at, key, 0)
        return { ...(await record(at, partition, [key])), stored }
      }),
    evict: async (addresses, { soft, settleMs }) => {
      const replies: MutationReply[] = []
      for (const [partition, keys] of byPartition(addresses)) {
        const reply = await step(async (at) => {
          for (const key of keys) await (soft ? soften : remove)(at, key, settleMs)
          return record(at, partition, keys, {
            ...(soft ? { soft } : {}),
            ...(settleMs > 0 ? { settleMs } : {}),
          })
        })
        replies.push(reply)
      }
      return replies
    },
    sync: (partitions) =>
      step(async (at) => {
        const heads: number[] = []
        for (const partition of partitions) heads.push((await headOf(at, partition)).seq)
        const { version, floor } = await clockOf(at)
        return { nowMs: at.nowMs, heads, tags: { version, floor } }
      }),
    changesSince: (partition, seq) => step((at) => changesSince(at, partition, seq)),
    bumpTags: (tags, known, retentionMs) => step((at) => bumpTags(at, tags, known, retentionMs)),
    tagsSince: (version) => step((at) => tagsSince(at, version)),
    scan: async function* (prefix) {
      let last = Buffer.alloc(0)
      for (;;) {
        const from = last
        const rows = await step(({ query, nowMs }) =>
          query<{ key: Uint8Array }>(
            `select key from larder_entries
             where namespace = $1 and substring(key from 1 for $5) = $2 and key > $3 and expires_at > $4 order by key limit ${SCAN_ROWS}`,
            [namespace, bytesOf(prefix), from, nowMs, bytesOf(prefix).length],
          ),
        )
        if (rows.length === 0) return
        yield rows.map(({ key }) => textOf(key))
        last = Buffer.from(rows.at(-1)?.key ?? [])
      }
    },
    close: async () => {
      isClosed = true
    },
  }
}

function byPartition(addresses: readonly EntryAddress[]): Map<number, string[]> {
  const groups = new Map<number, string[]>()
  for (const { partition, key } of addresses) {
    groups.set(partition, [...(groups.get(partition) ?? []), key])
  }
  return groups
}

function postgresBus(postgres: PGlite, ready: () => Promise<unknown>): Bus {
  let unlisten: (() => Promise<void>) | undefined
  let isClosed = false
  const listen = async (namespace: string, listener: BusListener): Promise<void> => {
    await ready()
    const stop = await postgres.listen(`"${channelOf(namespace)}"`, (payload) => {
      if (!isClosed) receive(payload, listener)
    })
    if (isClosed) {
      await stop()
      return
    }
    unlisten = stop
    listener.onUp()
  }
  return {
    name: 'postgres',
    subscribe: (namespace, listener) => {
      listen(namespace, listener).catch((reason: unknown) => listener.onDown(reason))
    },
    close: async () => {
      isClosed = true
      await unlisten?.()
    },
  }
}

/** Only our own steps write to the channel, but anybody may: what does not look like a message is garbage. */
function receive(payload: string, listener: BusListener): void {
  let message: BusMessage
  try {
    message = JSON.parse(payload) as BusMessage
    if (!['keys', 'tags', 'wake'].includes(message.kind)) throw new Error('of an unknown kind')
  } catch (reason) {
    listener.onGarbage(reason)
    return
  }
  listener.onMessage(message)
}
