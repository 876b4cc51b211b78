/** `larder` on a Cluster, behind Sentinel, over TLS, and on what only a database of its own has. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'

/** A node whose syncs are far apart: what it hears of, it hears as a message. */
async function startNode(namespace: string, options: RedisStoreOptions): Promise<CacheManager> {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore(options),
    default: false,
    logger: false,
    storeTimeout: '5s',
    defaults: { ttl: '1h', jitter: 0, maxStaleness: '1h' },
  })
  onTestFinished(() => caches.close())
  await caches.ready({ timeout: '20s' })
  return caches
}

const KEYS = Array.from({ length: 120 }, (_, i) => `k${i}`)

/** Everything that goes over the connection, once. */
async function tryAll(
  caches: CacheManager,
  namespace: string,
  args: readonly string[],
  url: string,
): Promise<void> {
  const call = async (...line: readonly string[]) => {
    const called = await larder([...line, ...args], namespace, { url })
    expect([line, called.code, called.stderr.includes('larder:')]).toEqual([line, 0, false])
    return called
  }
  const cache = caches.cache<string>('c')
  await Promise.all(KEYS.map((key) => cache.getOrLoad(key, async () => 'old', { tags: ['t'] })))
  const { rows } = await call('keys', '--json')
  expect(new Set(rows.map((row) => row['key']))).toEqual(new Set(KEYS.map((key) => `c:${key}`)))
  expect((await call('explain', 'c:k1', '--json')).rows[0]).toMatchObject({ outcome: 'hit' })
  expect((await call('show', 'c:k1', '--values')).stdout).toContain('old')
  expect((await call('caches', '--json')).rows[0]).toMatchObject({
    cache: 'c',
    entries: KEYS.length,
  })
  expect((await call('stats', '--json')).rows[0]).toMatchObject({ nodes: { listening: 1 } })
  expect((await call('namespaces', '--json')).rows.map((row) => row['namespace'])).toContain(
    namespace,
  )
  await caches.locks.run('l', { lease: '1m' }, async () => {
    expect((await call('locks', '--json')).rows).toHaveLength(1)
  })
  await call('evict', ...KEYS.slice(0, 60).map((key) => `c:${key}`), '--yes')
  await eventually('the node has heard', async () => {
    const values = await Promise.all(KEYS.slice(0, 60).map((key) => cache.get(key)))
    return values.every((value) => value === undefined)
  })
  expect(await cache.get('k100')).toBe('old')
  let isWatched = false
  const watching = call('watch', '--limit', '1', '--json').finally(() => {
    isWatched = true
  })
  await eventually('watch hears an eviction', async () => {
    await cache.evict('k119')
    return isWatched
  })
  expect((await watching).rows[0]).toMatchObject({ kind: 'keys', keys: ['c:k119'] })
  await call('evict-tag', 't', '--yes')
  await eventually('the node has heard', async () => (await cache.get('k100')) === undefined)
  const { rows: checks } = await call('doctor', '--json')
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([])
}

describe('every command', () => {
  it('works on a Cluster, on all its masters', async () => {
    const cluster = await startCluster({
      masters: 3,
      replicasPerMaster: 1,
      args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'],
    })
    onTestFinished(() => cluster.stop())
    const namespace = freshNamespace()
    const caches = await startNode(namespace, { cluster: [...cluster.startupNodes] })
    const [first, second] = cluster.nodes
    const url = `${first?.url},${second?.url}`
    await tryAll(caches, namespace, ['--cluster'], url)
    const { rows } = await larder(['doctor', '--json', '--cluster'], namespace, { url })
    expect(rows.find(({ check }) => check === 'cluster')).toMatchObject({
      state: 'ok',
      found: expect.stringContaining('3 masters'),
    })
    expect(rows.find(({ check }) => check === 'clocks')).toMatchObject({
      found: expect.stringMatching(/^[3-6] servers/),
    })
  }, 120_000)

  it('works behind Sentinel, on the master that it names', async () => {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    const namespace = freshNamespace()
    const options = { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name }
    const caches = await startNode(namespace, { options })
    const url = sentinel.sentinels.map((each) => each.url).join(',')
    await tryAll(caches, namespace, ['--sentinel', sentinel.name], url)
    const wrong = await larder(['keys', '--sentinel', 'nobody'], namespace, { url })
    expect(wrong.code).toBe(3)
  }, 120_000)

  it('works over TLS, and trusts nobody whom it was not told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const ca = makeCertificate(folder)
    const server = await startRedis({ args: ['--tls-port', '0', ...tlsArgs(folder)] })
    onTestFinished(() => server.stop())
    const port = await tlsPort(server)
    const url = `rediss://127.0.0.1:${port}`
    const namespace = freshNamespace()
    const caches = await startNode(namespace, { url: server.url })
    await tryAll(caches, namespace, ['--ca', ca], url)
    expect((await larder(['keys'], namespace, { url })).code).toBe(3)
    const plain = await larder(['keys'], namespace, { url: url.replace('rediss', 'redis') })
    expect(plain.code).toBe(3)
  }, 60_000)

  it('stays in the database that the URL names', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const caches = await startNode(namespace, { url: `${server.url}/3` })
    await tryAll(caches, namespace, [], `${server.url}/3`)
    expect((await larder(['keys'], namespace, { url: server.url })).code).toBe(4)
  })
})

/** A certificate that is its own authority, valid for 127.0.0.1. */
function makeCertificate(folder: string): string {
  const ca = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=larder', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', key, '-out', ca],
    ],
    { stdio: 'ignore' },
  )
  return ca
}

function tlsArgs(folder: string): readonly string[] {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  return [
    '--tls-cert-file',
    cert,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    cert,
    '--tls-auth-clients',
    'no',
  ]
}

/** The port is chosen by setting it, so that a free one is found when it is wanted. */
async function tlsPort(server: Awaited<ReturnType<typeof startRedis>>): Promise<number> {
  const { freePort } = await import('../support/free-port.ts')
  const port = await freePort()
  await server.command('CONFIG', 'SET', 'tls-port', String(port))
  return port
}
