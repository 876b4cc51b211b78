/** What the tests of this package share: stores that are closed with the test, entries, and both versions of ioredis. */

import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  type BusListener,
  type BusMessage,
  type ClaimRequest,
  decodeHeader,
  type EntryAddress,
  type EntryDraft,
  type EntryHeader,
  encodeEntry,
  type RemoteStore,
} from '@larder/core/store'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { freshNamespace } from '../../../test/support/fresh-namespace.ts'
import type { RedisStoreOptions } from '../src/options.ts'
import { redisStore } from '../src/redis-store.ts'

export { freshNamespace }

export const HOUR_MS = 3_600_000
export const LEASE_MS = 10_000
export const HARD = { soft: false, settleMs: 0 } as const
export const SOFT = { soft: true, settleMs: 0 } as const

type Constructor = new (...args: never[]) => Redis

const requireFromTests = createRequire(join(import.meta.dirname, '../../../test/package.json'))
const ioredis5 = requireFromTests('ioredis5') as { Redis: Constructor; Cluster: Constructor }

/** The supported versions of ioredis. */
export const clients = {
  'ioredis 6': Redis as unknown as Constructor,
  'ioredis 5': ioredis5.Redis,
} as const

export const Cluster5 = ioredis5.Cluster

/** Opens a store that is closed with the test. */
export function openStore(options: RedisStoreOptions, namespace = freshNamespace()): RemoteStore {
  const store = redisStore(options)
  store.open(namespace)
  onTestFinished(() => store.close())
  return store
}

/** What a bus reported, in order. */
export interface Recorder extends BusListener {
  readonly messages: BusMessage[]
  readonly states: ('up' | 'down' | 'doubt')[]
  readonly garbage: unknown[]
}

/** Subscribes to a store's bus. */
export function listen(store: RemoteStore, namespace: string): Recorder {
  const recorder: Recorder = {
    messages: [],
    states: [],
    garbage: [],
    onMessage: (message) => recorder.messages.push(message),
    onUp: () => recorder.states.push('up'),
    onDown: () => recorder.states.push('down'),
    onDoubt: () => recorder.states.push('doubt'),
    onGarbage: (reason) => recorder.garbage.push(reason),
  }
  store.bus?.subscribe(namespace, recorder)
  return recorder
}

export function at(key: string, partition = 3): EntryAddress {
  return { partition, key: `c:${key}` }
}

/** The bytes of an entry that is fresh for an hour. */
export function entry(draft: Partial<EntryDraft> = {}): Buffer {
  return encodeEntry({
    flags: 0,
    commit: 1,
    birth: 1,
    freshForMs: HOUR_MS,
    staleForMs: HOUR_MS,
    livesForMs: HOUR_MS,
    loadMs: 5,
    schema: 7,
    steps: [],
    tags: ['t'],
    payload: Buffer.from('payload'),
    ...draft,
  })
}

export function put(bytes = entry(), since = 0) {
  return { bytes, livesMs: HOUR_MS, since }
}

export function claim(token: number, request: Partial<ClaimRequest> = {}): ClaimRequest {
  return { token, leaseMs: LEASE_MS, seen: 0, overtake: 0, ...request }
}

/** The stored header, or `undefined` where there is none. */
export async function headerOf(
  store: RemoteStore,
  address: EntryAddress,
): Promise<EntryHeader | undefined> {
  const [bytes] = await store.readHeaders([address])
  return bytes === undefined ? undefined : decodeHeader(bytes)
}
