/** What the growth questions share: managers that are nobody's default, users to read, keys as a program holds them. */

import { Cacheable, CacheConfig, type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { redisStore } from '@larder/redis-store'
import type { Timed } from '../harness.ts'
import { type User, userOf } from '../peers.ts'

/** What something costs at one size; the same series at another size is what it is compared with. */
export interface Point {
  readonly series: string
  readonly size: string
  readonly ns: number
}

export interface Growth {
  /** Names the chart's file. */
  readonly id: string
  readonly title: string
  readonly points: readonly Point[]
}

interface ManagerKind {
  readonly local?: number
  readonly url?: string
  readonly isCompressed?: boolean
}

/** A manager of its own; `local` is the most entries. */
export function managerFor(namespace: string, kind: ManagerKind): CacheManager {
  const { local, url, isCompressed = false } = kind
  return createCacheManager({
    namespace,
    ...(local === undefined ? {} : { local: lruStore({ maxEntries: local }) }),
    ...(url === undefined ? {} : { remote: redisStore({ url }) }),
    ...(isCompressed ? { plugins: [compression()] } : {}),
    storeTimeout: '10s',
    default: false,
    defaults: { ttl: '1h' },
  })
}

/** A decorated method on that manager. Every value is the same object where `same` is given: memory is not the question. */
export function findOn(
  caches: CacheManager,
  tags: readonly string[] = [],
  same?: User,
): (id: string) => Promise<User> {
  @CacheConfig({ cache: 'users', manager: () => caches })
  class Users {
    @Cacheable({ key: (id: string) => id, tags })
    async find(id: string): Promise<User> {
      return same ?? userOf(id)
    }
  }
  const users = new Users()
  return (id) => users.find(id)
}

/** Flat strings: one that was just put together is flattened and hashed by its first look-up. */
export function idsOf(count: number): readonly string[] {
  return JSON.parse(JSON.stringify(Array.from({ length: count }, (_, i) => `u${i}`)))
}

/** Reads `operations` times from `callers` loops; returns how many reads that were. */
export async function readAll(
  read: (index: number) => Promise<unknown>,
  operations: number,
  callers: number,
): Promise<number> {
  const each = Math.ceil(operations / callers)
  const loop = async (caller: number): Promise<void> => {
    for (let i = 0; i < each; i++) await read(caller * each + i)
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)))
  return each * callers
}

/** The points of contestants that are named by series and size. */
export function pointsOf(timed: readonly Timed[]): readonly Point[] {
  return timed.map(({ name, nsPerOp }) => {
    const [series = '', size = ''] = name.split(': ')
    return { series, size, ns: nsPerOp }
  })
}

export function nanoseconds(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} ms`
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)} µs` : `${value.toFixed(0)} ns`
}
