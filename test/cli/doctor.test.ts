/** `larder doctor` on servers that lack something: each is found by trying, and what cannot be found out is unknown. */

import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'

interface Examined {
  readonly code: number
  readonly checks: ReadonlyMap<unknown, Record<string, unknown>>
}

async function examine(
  url: string,
  namespace = freshNamespace(),
  ...more: readonly string[]
): Promise<Examined> {
  const { code, rows, stderr } = await larder(['doctor', '--json', ...more], namespace, { url })
  expect(stderr).toMatch(/fault/)
  return { code, checks: new Map(rows.map((row) => [row['check'], row])) }
}

async function serverWith(...args: readonly string[]): Promise<RedisServer> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

const LIMITED = ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lfu']

it('a server that can do everything has no faults, and nothing is left on it', async () => {
  const server = await serverWith(...LIMITED)
  const { code, checks } = await examine(server.url, 'shop')
  expect(code).toBe(0)
  // How fast it is depends on what else this machine does.
  const others = [...checks.values()].filter(({ check }) => check !== 'latency')
  expect(others.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(await server.command('DBSIZE')).toBe(0)
})

it('a limit that is missing is a warning, and a fault with --strict', async () => {
  const server = await serverWith()
  const { code, checks } = await examine(server.url)
  expect(code).toBe(0)
  expect(checks.get('memory')).toMatchObject({
    state: 'warn',
    fix: expect.stringContaining('maxmemory'),
  })
  expect((await examine(server.url, 'shop', '--strict')).code).toBe(1)
})

it('a replica takes no writes', async () => {
  const master = await serverWith(...LIMITED)
  const replica = await serverWith('--replicaof', '127.0.0.1', String(master.port), ...LIMITED)
  await eventually('it follows', async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  )
  const { code, checks } = await examine(replica.url)
  expect(code).toBe(1)
  expect(checks.get('writes')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('READONLY'),
  })
  expect(checks.get('replication')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('replica'),
  })
})

it('a full server that evicts nothing refuses writes', async () => {
  const server = await serverWith('--maxmemory', '1mb', '--maxmemory-policy', 'noeviction')
  await server.command('CONFIG', 'SET', 'maxmemory', '1')
  const { code, checks } = await examine(server.url)
  expect(code).toBe(1)
  expect(checks.get('writes')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('OOM'),
  })
  expect(checks.get('memory')).toMatchObject({ state: 'fail' })
})

it('too few replicas refuse writes', async () => {
  const server = await serverWith('--min-replicas-to-write', '1', ...LIMITED)
  const { checks } = await examine(server.url)
  expect(checks.get('writes')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('NOREPLICAS'),
  })
})

it('a user without rights is told what to give it; what INFO would say is unknown', async () => {
  const server = await serverWith(...LIMITED)
  const all = ['~{shop:*', '&shop:*', '+@all', '-@admin']
  await server.command('ACL', 'SETUSER', 'plain', 'on', '>pw', ...all, '-info', '-cluster')
  const plain = await examine(server.url.replace('//', '//plain:pw@'), 'shop')
  expect(plain.code).toBe(0)
  expect(plain.checks.get('rights')).toMatchObject({
    state: 'ok',
    found: expect.stringContaining('plain'),
  })
  for (const check of ['version', 'memory', 'persistence', 'replication', 'connections']) {
    expect(plain.checks.get(check)).toMatchObject({ check, state: 'unknown' })
  }
  await server.command('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~{shop:*', 'resetchannels', '+@all')
  const deaf = await examine(server.url.replace('//', '//deaf:pw@'), 'shop')
  expect(deaf.code).toBe(1)
  expect(deaf.checks.get('bus')).toMatchObject({
    state: 'fail',
    fix: expect.stringContaining('&shop:*'),
  })
  expect(deaf.checks.get('rights')).toMatchObject({ state: 'fail' })
  await server.command(
    'ACL',
    'SETUSER',
    'mute',
    'on',
    '>pw',
    '~*',
    '&*',
    '+@all',
    '-eval',
    '-evalsha',
  )
  const mute = await examine(server.url.replace('//', '//mute:pw@'), 'shop')
  expect(mute.code).toBe(1)
  expect(mute.checks.get('scripts')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('NOPERM'),
  })
  expect(mute.checks.get('rights')).toMatchObject({ fix: expect.stringContaining('+eval') })
  await server.command('ACL', 'SETUSER', 'lost', 'on', '>pw', '~other:*', '&*', '+@all')
  const lost = await examine(server.url.replace('//', '//lost:pw@'), 'shop')
  expect(lost.checks.get('rights')).toMatchObject({ fix: expect.stringContaining('~{shop:*') })
  expect(lost.checks.get('writes')).toMatchObject({ state: 'fail' })
})

it('a namespace that looks like a typing mistake is told', async () => {
  const server = await serverWith(...LIMITED)
  const { caches } = startNode({ namespace: 'checkout', url: server.url })
  await caches.cache('c').set('k', 'v')
  const { checks } = await examine(server.url, 'chekout')
  expect(checks.get('other keys')).toMatchObject({
    state: 'warn',
    fix: expect.stringContaining('checkout'),
  })
  expect((await examine(server.url, 'checkout')).checks.get('nodes')).toMatchObject({
    found: expect.stringContaining('1 node'),
  })
})

it('speaks to people in lines, with a last one that says whether it is good', async () => {
  const { stdout, stderr } = await larder(['doctor'], freshNamespace(), { url: inject('redisUrl') })
  expect(stdout).toMatch(/^ok +version +\S+ \d/m)
  expect(stderr).toMatch(/^(No faults|\d+ faults?)/)
})
