/** The small examples run, and print what they say. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'
import { ROOT } from '../docs/pages.ts'

const run = promisify(execFile)

async function printed(example: string, env: object = {}): Promise<string> {
  const args = ['--conditions=larder-source', '--import', 'tsx', `${example}/main.ts`]
  const { stdout, stderr } = await run(process.execPath, args, {
    cwd: join(ROOT, 'examples'),
    env: { ...process.env, REDIS_URL: undefined, ...env },
  })
  expect(stderr).toBe('')
  return stdout
}

it('encryption: a key is changed without a miss, and a moved entry is not read', async () => {
  const said = await printed('encryption')
  expect(said).toContain(
    "release 1 reads { name: 'Grace Hopper' } and release 2 { name: 'Ada Lovelace' }",
  )
  expect(said).toContain('release 2 has read with 0 and 1')
  expect(said).toMatch(/patients:7 was not read: EncryptionKeyError: .*written for another key/)
  expect(said).toContain('patient 7 is undefined')
}, 60_000)

it('tracing: a waiter is linked to the load, what it calls is a child of it, and a local hit is a number', async () => {
  const lines = (await printed('tracing')).trim().split('\n').sort()
  expect(lines).toEqual([
    'GET /first in nothing',
    'GET /second in nothing',
    'GET /third in nothing, local hits: 1',
    'SELECT price in larder.load prices',
    'larder.load prices in GET /first',
    'larder.read prices in GET /first',
    'larder.read prices in GET /second, linked to larder.load prices',
  ])
}, 60_000)

it('logging: one line for each change of state, and none for a read', async () => {
  const lines = (await printed('logging')).trim().split('\n')
  const isTalk = (line: string): boolean => /^(?:read|—)/.test(line)
  const away = lines.indexOf('— the store goes away')
  const back = lines.indexOf('— and comes back')
  const between = (from: number, to?: number): readonly string[] =>
    lines
      .slice(from + 1, to)
      .filter((line) => !isTalk(line))
      .sort()
  expect(lines.filter((line) => line === 'read 1000 times')).toHaveLength(3)
  expect(between(away, back)).toEqual([
    'warn  breaker        Larder (shop): circuit breaker of the store is open',
    'warn  bus            Larder (shop): messages are not heard',
    'warn  coherence      Larder (shop): entries cannot be verified',
    'warn  outage         Larder (shop): outage began (unreachable): The connection was lost',
    'warn  recovery-queue Larder (shop): evictions wait for the store',
  ])
  expect(between(back)).toEqual([
    'info  breaker        Larder (shop): circuit breaker of the store is closed',
    'info  bus            Larder (shop): messages of other nodes are heard',
    'info  coherence      Larder (shop): entries are verified',
    'info  outage         Larder (shop): outage ended (unreachable): The connection was lost',
    'info  recovery-queue Larder (shop): no evictions wait any more',
  ])
}, 60_000)

it('compression: each algorithm makes the entry smaller, and all are read', async () => {
  const said = await printed('compression')
  const sizes = [...said.matchAll(/^(\w+): (\d+) bytes, read$/gm)].map(([, name, bytes]) => {
    return [name, Number(bytes)] as const
  })
  expect(sizes.map(([name]) => name)).toEqual(['none', 'deflate', 'gzip', 'brotli'])
  const plain = sizes[0]?.[1] ?? 0
  for (const [name, bytes] of sizes.slice(1)) expect(bytes, name).toBeLessThan(plain / 2)
}, 60_000)

it('metrics: a scraper reads what the cache has done', async () => {
  const said = await printed('metrics')
  const requests = 'larder_cache_requests_total{namespace="shop",cache="products"'
  expect(said).toContain(`${requests},result="local"} 2\n`)
  expect(said).toContain(`${requests},result="miss"} 2\n`)
  expect(said).toContain('larder_cache_entries{namespace="shop"} 1\n')
  expect(said).toContain('larder_coherence_verified{namespace="shop"} 1\n')
}, 60_000)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'unique visitors: are counted, then estimated, %s',
  async (_, env) => {
    expect((await printed('unique-visitors', env())).trim().split('\n')).toEqual([
      '{ count: 2, exact: true }',
      'about 10002: true',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'counter: counts an id once, and sums arrive, %s',
  async (_, env) => {
    expect((await printed('counter', env())).trim().split('\n')).toEqual([
      '{ total: 1, isDuplicate: false }',
      '{ total: 1, isDuplicate: true }',
      'before they are sent: 0',
      'after that: 1000',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'work queue: sends each, one of them at the second try, and one that was put back, %s',
  async (_, env) => {
    const lines = (await printed('work-queue', env())).trim().split('\n')
    expect(lines.slice(0, 2).sort()).toEqual(['sent to ada, delivery 1', 'sent to bob, delivery 2'])
    expect(lines.slice(2)).toEqual([
      'added: true, added again with the same id: false',
      'dead letter: RejectMessage: cy is blocked',
      'sent to cy, delivery 1',
      'pending: 0, dead letters: 0',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'structures: loses no update, looks members up, and lists what was viewed last, %s',
  async (_, env) => {
    expect((await printed('structures', env())).trim().split('\n')).toEqual([
      'lamps: 2',
      'a third product: StructureFullError',
      'blocked: true,false',
      'and then: false,false',
      'viewed: bed, lamp, table',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'write-behind: a read sees what waits, and a bad write is a dead letter, %s',
  async (_, env) => {
    expect((await printed('write-behind', env())).trim().split('\n')).toEqual([
      'in the database: 0',
      'read: 3',
      'written: ada=3 bob=7',
      'dead: cy, RejectedWriteError: a page is not below zero',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'leaderboard: shows places, a tie, and those around a member, %s',
  async (_, env) => {
    expect((await printed('leaderboard', env())).trim().split('\n')).toEqual([
      'standard: 1. ada 120, 1. cy 120, 3. dee 95, 4. bob 90',
      'dense: 1. ada 120, 1. cy 120, 2. dee 95, 3. bob 90',
      'around dee: 1. cy 120, 3. dee 95, 4. bob 90',
      'four weeks: 1. ada 120, 5 in this one',
      'zoe: undefined',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'fleet: all nodes are seen, and one that closes is gone, %s',
  async (_, env) => {
    // How a node stands, and whether it is late, depends on how busy the machine is.
    const said = (await printed('fleet', env())).replaceAll(/: (up|late), \w+,/g, ':')
    const [nodes, left] = said.trim().split('\n\n')
    expect(nodes?.split('\n')).toEqual([
      'api: 2 loads, 50 % hits',
      'worker: 2 loads, 75 % hits',
      'together: 4 loads, 8 saved',
    ])
    expect(left?.split('\n')).toEqual(['api: 2 loads, 50 % hits', 'together: 2 loads, 2 saved'])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'topic: hears two topics by a pattern, and a message that is refused, %s',
  async (_, env) => {
    expect((await printed('topic', env())).trim().split('\n')).toEqual([
      'prices.eu: ACME 1299, missed 0',
      'prices.us: ACME 1405, missed 0',
      'prices.eu: ACME 1300, missed 0',
      'A message for prices.eu is not what its schema says: look at $.cents.',
      'handled 3',
    ])
  },
  60_000,
)

it.each<[string, () => object]>([
  ['in one process', () => ({})],
  ['over Redis', () => ({ REDIS_URL: inject('redisUrl') })],
])(
  'event-store: a conflict, a repeated request, a balance and a projection, %s',
  async (_, env) => {
    expect((await printed('event-store', env())).trim().split('\n')).toEqual([
      '{ version: 2, isDuplicate: false }',
      '{ version: 2, isDuplicate: true }',
      'A stream of accounts is at version 2, and an append expected version 1. Nothing was appended.',
      'balance { state: 500, version: 2 }',
      'projected 1: opened',
      'projected 2: deposited',
      'partitions 2',
    ])
  },
  60_000,
)
