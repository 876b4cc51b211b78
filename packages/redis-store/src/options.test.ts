import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { targetDatabase } from './connection/target-database.ts'
import { isClusterTarget, type RedisStoreOptions, resolveRedisStoreOptions } from './options.ts'
import { redisStore } from './redis-store.ts'

const URL_WITH_PASSWORD = 'redis://user:hunter2@example.com:6379/1'

describe('options of redisStore', () => {
  it('takes a URL, with options', () => {
    const options = { tls: {} }
    expect(resolveRedisStoreOptions({ url: 'rediss://example.com', options }).target).toEqual({
      kind: 'url',
      url: 'rediss://example.com',
      options,
    })
  })

  it('takes ioredis options alone', () => {
    const options = { sentinels: [{ host: 'a', port: 1 }], name: 'm' }
    expect(resolveRedisStoreOptions({ options }).target).toEqual({ kind: 'options', options })
  })

  it('takes the nodes of a Cluster, as URLs or addresses', () => {
    const nodes = ['redis://a:1', { host: 'b', port: 2 }]
    const { target } = resolveRedisStoreOptions({ cluster: nodes })
    expect(target).toEqual({ kind: 'cluster', nodes, options: {} })
    expect(isClusterTarget(target)).toBe(true)
  })

  it('tells a Cluster client from another', () => {
    const client = new Redis({ lazyConnect: true })
    const cluster = new Cluster([{ host: 'a', port: 1 }], { lazyConnect: true })
    expect(isClusterTarget(resolveRedisStoreOptions({ client }).target)).toBe(false)
    expect(isClusterTarget(resolveRedisStoreOptions({ client: cluster }).target)).toBe(true)
  })

  it.each<[string, object]>([
    ['redis://a', {}],
    ['redis://a/', { db: 4 }],
    ['redis://a/2', { db: 4 }],
    ['redis://a/2?db=3', {}],
    ['redis://a?db=3', { db: 4 }],
    ['rediss://:p@a/5', { db: '4' }],
  ])('knows the database of %s with %o, as ioredis does', (url, options) => {
    const client = new Redis(url, { lazyConnect: true, ...options })
    const { target } = resolveRedisStoreOptions({ url, options })
    expect(targetDatabase(target)).toBe(client.options.db)
    expect(targetDatabase(resolveRedisStoreOptions({ client }).target)).toBe(client.options.db)
  })

  it.each<[string, () => Redis | Cluster]>([
    ['a client', () => new Redis({ lazyConnect: true, keyPrefix: 'p:' })],
    [
      'a Cluster',
      () => new Cluster([{ host: 'a', port: 1 }], { lazyConnect: true, keyPrefix: 'p:' }),
    ],
    [
      'the nodes of a Cluster',
      () =>
        new Cluster([{ host: 'a', port: 1 }], {
          lazyConnect: true,
          redisOptions: { keyPrefix: 'p:' },
        }),
    ],
  ])('warns once that the key prefix of %s does not apply', (_, makeClient) => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => warn.mockRestore())
    const client = makeClient()
    for (const _time of [1, 2])
      expect(resolveRedisStoreOptions({ client }).target.kind).toBe('client')
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]).toEqual([
      expect.stringMatching(/keyPrefix .* does not apply .* namespace/),
      { type: 'LarderWarning', code: 'LARDER_KEY_PREFIX' },
    ])
  })

  it('takes a client and options without a key prefix in silence', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => warn.mockRestore())
    resolveRedisStoreOptions({ client: new Redis({ lazyConnect: true, keyPrefix: '' }) })
    resolveRedisStoreOptions({ options: { keyPrefix: '' } as object })
    expect(warn).not.toHaveBeenCalled()
  })

  it('pings every five seconds unless told otherwise', () => {
    expect(resolveRedisStoreOptions({ options: {} }).pingEveryMs).toBe(5_000)
    expect(resolveRedisStoreOptions({ options: {}, pingEvery: '1m' }).pingEveryMs).toBe(60_000)
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^redisStore takes an options object/],
    ['no way to Redis', {}, /^redisStore takes one of url, client, cluster and options/],
    [
      'a URL that is not set',
      { url: undefined },
      /^redisStore\.url takes .*it was given, and is not set/,
    ],
    [
      'a client that is not set',
      { client: undefined, pingEvery: '1s' },
      /^redisStore\.client takes/,
    ],
    [
      'host and port',
      { host: 'a', port: 1 },
      /redisStore\(\{ options: \{ host, port \} \}\), but got it beside url/,
    ],
    ['a password', { password: 'hunter2' }, /redisStore\(\{ options: \{ password \} \}\)/],
    ['a client by itself', new Redis({ lazyConnect: true }), /redisStore\(\{ client \}\)/],
    ['a database that is no number', { url: 'redis://a/main' }, /path is the number of a database/],
    ['the same in its query', { url: 'redis://a?db=main' }, /path is the number of a database/],
    ['the same in options', { options: { db: 'main' } }, /^redisStore\.options\.db/],
    ['a negative database', { options: { db: -1 } }, /^redisStore\.options\.db/],
    ['a node that is no Redis', { cluster: ['http://a'] }, /^redisStore\.cluster/],
    ['two ways', { url: URL_WITH_PASSWORD, cluster: ['redis://a'] }, /got "url and cluster"/],
    ['options of a client', { client: {}, options: {} }, /got "client and options"/],
    ['a name it does not know', { urll: URL_WITH_PASSWORD }, /redisStore\.urll .*Did you mean url/],
    ['a URL of another kind', { url: 'http://a' }, /^redisStore\.url takes a redis:\/\//],
    ['a URL that is none', { url: 'redis://a:port' }, /^redisStore\.url/],
    ['an object for a URL', { url: {} }, /^redisStore\.url/],
    ['a client of another kind', { client: { status: 'ready' } }, /^redisStore\.client/],
    ['null for a client', { client: null }, /^redisStore\.client/],
    ['no nodes', { cluster: [] }, /^redisStore\.cluster/],
    ['a node without a port', { cluster: [{ host: 'a' }] }, /^redisStore\.cluster/],
    ['a list of options', { options: [] }, /^redisStore\.options/],
    [
      'a key prefix',
      { options: { keyPrefix: 'p:' } },
      /^redisStore\.options\.keyPrefix takes no keyPrefix: .*namespace/,
    ],
    [
      'one of a Cluster',
      { cluster: ['redis://a'], options: { keyPrefix: 'p:' } },
      /^redisStore\.options\.keyPrefix/,
    ],
    ['one in a URL', { url: 'redis://a?keyPrefix=p:' }, /^redisStore\.url takes no keyPrefix/],
    ['pings too often', { options: {}, pingEvery: 10 }, /^redisStore\.pingEvery/],
  ])('refuses %s', (_, options, message) => {
    expect(() => redisStore(options as RedisStoreOptions)).toThrow(message)
  })

  it.each([
    { url: URL_WITH_PASSWORD, cluster: [URL_WITH_PASSWORD] },
    { url: 'redis://user:hunter2@example.com:port' },
    { url: `mysql://user:hunter2@example.com` },
    { cluster: URL_WITH_PASSWORD },
    { cluster: ['mysql://user:hunter2@example.com'] },
    { password: 'hunter2', host: 'example.com' },
    { url: 'redis://user:hunter2@example.com/main' },
  ])('repeats no password', (options) => {
    let message = ''
    try {
      redisStore(options as RedisStoreOptions)
    } catch (error) {
      message = String(error)
    }
    expect(message).toMatch(/redisStore/)
    expect(message).not.toMatch(/hunter2/)
  })
})
