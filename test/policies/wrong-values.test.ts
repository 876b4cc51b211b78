/**
 * Every public call, every argument and option of it, and values that it does not take: the call says which and why, at
 * once. What is not refused here would fail later and elsewhere, or do something else than was meant.
 */

import * as larder from '@larder/core'
import { type CacheManager, createCacheManager, InvalidOptionError, KeyError } from '@larder/core'
import { fromKeyv, keyvStorage } from '@larder/keyv-store'
import { localLimits, localLocks, lruStore } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { redisLimits, redisLocks, redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'

type Call = (wrong: unknown) => unknown
type Loose = Record<string, (...args: readonly unknown[]) => unknown>

const JUNK: Readonly<Record<string, unknown>> = {
  null: null,
  'not a number': Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  'a negative number': -1,
  'a fraction': 1.5,
  zero: 0,
  'a number': 7,
  'a text': 'abc',
  'an empty text': '',
  true: true,
  false: false,
  'a bigint': 7n,
  'a symbol': Symbol('s'),
  'an object': { odd: 1 },
  'an empty object': {},
  'an array': ['abc'],
  'an empty array': [],
  'an array of numbers': [7],
  'a date': new Date(0),
  'a map': new Map(),
  'a promise': Promise.resolve({}),
  'a function': () => 'abc',
}

/** Which of these values an argument takes. */
const TAKES = {
  boolean: ['true', 'false'],
  duration: ['zero', 'a number', 'a fraction'],
  /** A duration above zero. */
  time: ['a number', 'a fraction'],
  /** A duration of 100 ms or more: none of these. */
  long: [],
  count: ['zero', 'a number'],
  positive: ['a number'],
  text: ['a text'],
  key: [
    'infinity',
    'a negative number',
    'a fraction',
    'zero',
    'a number',
    'a text',
    'true',
    'false',
    'a bigint',
    'an array',
    'an array of numbers',
  ],
  keys: ['an array', 'an empty array', 'an array of numbers'],
  tags: ['an array', 'an empty array'],
  tagsOrFunction: ['an array', 'an empty array', 'a function'],
  function: ['a function'],
  options: ['an empty object'],
  signal: [],
  one: [],
  anything: Object.keys(JUNK),
} as const satisfies Readonly<Record<string, readonly string[]>>

type Kind = keyof typeof TAKES
type Rows = Readonly<Record<string, readonly [Kind, Call, ...string[]]>>

const load = (): string => 'v'

async function drain(generator: unknown): Promise<void> {
  for await (const _ of generator as AsyncIterable<unknown>);
}

function entryRows(call: (options: unknown) => unknown): Rows {
  return {
    options: ['options', call],
    'options.tags': ['tagsOrFunction', (tags) => call({ tags })],
    'options.ttl': ['duration', (ttl) => call({ ttl }), 'a function'],
    'options.staleWhileRevalidate': [
      'duration',
      (staleWhileRevalidate) => call({ staleWhileRevalidate }),
      'a function',
    ],
    'options.staleIfError': ['duration', (staleIfError) => call({ staleIfError }), 'a function'],
  }
}

function loadRows(call: (options: unknown) => unknown): Rows {
  return {
    ...entryRows(call),
    'options.signal': ['signal', (signal) => call({ signal })],
    'options.hardTimeout': ['time', (hardTimeout) => call({ hardTimeout })],
    'options.unshared': ['function', (unshared) => call({ unshared })],
  }
}

function under(name: string, rows: Rows): Rows {
  return Object.fromEntries(Object.entries(rows).map(([key, row]) => [`${name} ${key}`, row]))
}

function cacheRows(cache: Loose): Rows {
  const evictRows = (call: (options: unknown) => unknown, settles: boolean): Rows => ({
    options: ['options', call],
    'options.soft': ['boolean', (soft) => call({ soft })],
    'options.settle': [settles ? 'duration' : 'one', (settle) => call({ settle })],
  })
  return {
    'key key': ['key', (key) => cache['key']?.(key)],
    'getOrLoad key': ['key', (key) => cache['getOrLoad']?.(key, load)],
    'getOrLoad load': ['function', (wrong) => cache['getOrLoad']?.('k', wrong)],
    ...under(
      'getOrLoad',
      loadRows((options) => cache['getOrLoad']?.('k', load, options)),
    ),
    'refresh key': ['key', (key) => cache['refresh']?.(key, load)],
    'refresh load': ['function', (wrong) => cache['refresh']?.('k', wrong)],
    ...under(
      'refresh',
      loadRows((options) => cache['refresh']?.('k', load, options)),
    ),
    'get key': ['key', (key) => cache['get']?.(key)],
    'get options': ['options', (options) => cache['get']?.('k', options)],
    'get signal': ['signal', (signal) => cache['get']?.('k', { signal })],
    'get allowStale': ['boolean', (allowStale) => cache['get']?.('k', { allowStale })],
    'getMany keys': ['keys', (keys) => cache['getMany']?.(keys)],
    'getMany key': ['key', (key) => cache['getMany']?.([key])],
    'getMany options': ['options', (options) => cache['getMany']?.([], options)],
    'getMany signal': ['signal', (signal) => cache['getMany']?.([], { signal })],
    'getMany allowStale': ['boolean', (allowStale) => cache['getMany']?.([], { allowStale })],
    'getEntry key': ['key', (key) => cache['getEntry']?.(key)],
    'getEntry options': ['options', (options) => cache['getEntry']?.('k', options)],
    'getEntry signal': ['signal', (signal) => cache['getEntry']?.('k', { signal })],
    'getEntries keys': ['keys', (keys) => cache['getEntries']?.(keys)],
    'getEntries key': ['key', (key) => cache['getEntries']?.([key])],
    'getEntries options': ['options', (options) => cache['getEntries']?.([], options)],
    'getEntries signal': ['signal', (signal) => cache['getEntries']?.([], { signal })],
    'getManyOrLoad keys': ['keys', (keys) => cache['getManyOrLoad']?.(keys, (all: []) => all)],
    'getManyOrLoad key': ['key', (key) => cache['getManyOrLoad']?.([key], (all: []) => all)],
    'getManyOrLoad load': ['function', (wrong) => cache['getManyOrLoad']?.([], wrong)],
    ...under(
      'getManyOrLoad',
      loadRows((options) => cache['getManyOrLoad']?.([], (all: []) => all, options)),
    ),
    'set key': ['key', (key) => cache['set']?.(key, 1)],
    ...under(
      'set',
      entryRows((options) => cache['set']?.('k', 'v', options)),
    ),
    'evict key': ['key', (key) => cache['evict']?.(key)],
    ...under(
      'evict',
      evictRows((options) => cache['evict']?.('k', options), true),
    ),
    'evictMany keys': ['keys', (keys) => cache['evictMany']?.(keys)],
    'evictMany key': ['key', (key) => cache['evictMany']?.([key])],
    ...under(
      'evictMany',
      evictRows((options) => cache['evictMany']?.([], options), true),
    ),
    'evictTags tags': ['tags', (tags) => cache['evictTags']?.(tags)],
    'evictTags tag': ['text', (tag) => cache['evictTags']?.([tag])],
    ...under(
      'evictTags',
      evictRows((options) => cache['evictTags']?.([], options), false),
    ),
    ...under(
      'clear',
      evictRows((options) => cache['clear']?.(options), false),
    ),
    'evictPattern pattern': ['text', (pattern) => drain(cache['evictPattern']?.(pattern))],
    ...under(
      'evictPattern',
      evictRows((options) => drain(cache['evictPattern']?.('x', options)), false),
    ),
    'warm entries': ['one', (entries) => cache['warm']?.(entries), 'an empty array', 'a map'],
    'warm pair': ['one', (pair) => cache['warm']?.([pair])],
    'warm key': ['key', (key) => cache['warm']?.([[key, 1]])],
    ...under(
      'warm',
      entryRows((options) => cache['warm']?.([], options)),
    ),
    'warm onProgress': ['function', (onProgress) => cache['warm']?.([], { onProgress })],
    'warm chunk': ['positive', (chunk) => cache['warm']?.([], { chunk })],
    'warm signal': ['signal', (signal) => cache['warm']?.([], { signal })],
  }
}

function cacheOptionRows(call: (options: unknown) => unknown): Rows {
  const of =
    (name: string): Call =>
    (wrong) =>
      call({ [name]: wrong })
  return {
    options: ['options', call],
    ttl: ['time', of('ttl')],
    staleWhileRevalidate: ['duration', of('staleWhileRevalidate')],
    staleIfError: ['duration', of('staleIfError')],
    negativeTtl: ['time', of('negativeTtl'), 'false'],
    cacheErrors: ['function', of('cacheErrors')],
    errorBackoff: ['duration', of('errorBackoff')],
    refreshAhead: ['boolean', of('refreshAhead'), 'a number', 'a fraction'],
    jitter: ['one', of('jitter'), 'zero'],
    softTimeout: ['time', of('softTimeout')],
    loadTimeout: ['time', of('loadTimeout')],
    hardTimeout: ['time', of('hardTimeout')],
    leaseWait: ['time', of('leaseWait')],
    maxStaleness: ['long', of('maxStaleness')],
    isolation: ['one', of('isolation')],
    toPlain: ['function', of('toPlain')],
    fromPlain: ['function', of('fromPlain')],
    tags: ['tagsOrFunction', of('tags')],
    scope: ['function', of('scope')],
    local: ['boolean', of('local')],
    remote: ['boolean', of('remote')],
    sync: ['boolean', of('sync')],
    version: [
      'text',
      of('version'),
      'an empty text',
      'a negative number',
      'a fraction',
      'zero',
      'a number',
    ],
    maxValueBytes: ['positive', of('maxValueBytes'), 'a fraction'],
    onRemoteFailure: ['one', of('onRemoteFailure')],
  }
}

function lockRows(call: (options: unknown) => unknown): Rows {
  const of =
    (name: string): Call =>
    (wrong) =>
      call({ [name]: wrong })
  return {
    options: ['options', call],
    lease: ['long', of('lease')],
    wait: ['duration', of('wait')],
    maxHold: ['long', of('maxHold')],
    mode: ['one', of('mode')],
    permits: ['positive', of('permits')],
    weight: ['one', of('weight')],
    'weight of permits': ['positive', (weight) => call({ permits: 9, weight })],
    fair: ['one', of('fair')],
    onLost: ['one', of('onLost')],
    onUnavailable: ['one', of('onUnavailable')],
    replicas: ['one', of('replicas')],
    'replicas.min': ['positive', (min) => call({ replicas: { min } })],
    'replicas.timeout': ['time', (timeout) => call({ replicas: { min: 1, timeout } })],
  }
}

function limiterRows(call: (options: unknown) => unknown): Rows {
  const beside =
    (name: string): Call =>
    (wrong) =>
      call({ limit: 10, per: '1m', [name]: wrong })
  return {
    options: ['one', call],
    limit: ['count', (limit) => call({ limit, per: '1m' }), 'a function'],
    per: ['time', (per) => call({ limit: 10, per })],
    policies: ['one', (policies) => call({ policies })],
    policy: ['one', (policy) => call({ policies: [policy] })],
    name: ['text', beside('name')],
    algorithm: ['one', beside('algorithm')],
    slices: ['positive', (slices) => call({ limit: 10, per: '1m', algorithm: 'window', slices })],
    burst: ['positive', (burst) => call({ limit: 10, per: '1m', algorithm: 'smooth', burst })],
    hard: ['boolean', (hard) => call({ limit: 10, per: '1m', algorithm: 'smooth', hard })],
    timeZone: ['one', (timeZone) => call({ limit: 10, per: 'day', timeZone })],
    lease: ['long', (lease) => call({ limit: 10, algorithm: 'concurrency', lease })],
    onStoreError: ['one', beside('onStoreError')],
    share: ['one', beside('share')],
    limitTtl: ['duration', beside('limitTtl')],
    storeTimeout: ['time', beside('storeTimeout')],
    measureStaleness: ['options', beside('measureStaleness')],
    penalty: ['boolean', beside('penalty')],
    block: ['time', beside('block')],
    dryRun: ['boolean', beside('dryRun')],
    enabled: ['function', beside('enabled')],
  }
}

function consumeRows(call: (options: unknown) => unknown): Rows {
  return {
    options: ['options', call],
    'options.signal': ['signal', (signal) => call({ signal })],
    'options.args': ['keys', (args) => call({ args })],
  }
}

function managerRows(caches: CacheManager): Rows {
  const loose = caches as unknown as Loose
  const locks = caches.locks as unknown as Loose
  const limiter = caches.limiter({ name: 'one', limit: 1_000, per: '1m' }) as unknown as Loose
  let caches_ = 0
  const evictRows = (call: (options: unknown) => unknown): Rows => ({
    options: ['options', call],
    'options.soft': ['boolean', (soft) => call({ soft })],
    'options.settle': ['one', (settle) => call({ settle })],
  })
  const nextName = (): string => `other${caches_++}`
  return {
    'cache name': ['text', (name) => loose['cache']?.(name)],
    ...under(
      'cache',
      cacheOptionRows((options) => loose['cache']?.(nextName(), options)),
    ),
    'evictTags tags': ['tags', (tags) => loose['evictTags']?.(tags)],
    ...under(
      'evictTags',
      evictRows((options) => loose['evictTags']?.([], options)),
    ),
    ...under(
      'clear',
      evictRows((options) => loose['clear']?.(options)),
    ),
    'bind object': [
      'one',
      (object) => loose['bind']?.(object),
      'a date',
      'a map',
      'a promise',
      'an array',
      'an empty array',
      'an array of numbers',
    ],
    'deferEvictions work': ['function', (work) => loose['deferEvictions']?.(work)],
    'on event': ['one', (event) => loose['on']?.(event, () => undefined)],
    'on listener': ['function', (listener) => loose['on']?.('hit', listener)],
    'ready options': ['options', (options) => loose['ready']?.(options)],
    'ready timeout': ['time', (timeout) => loose['ready']?.({ timeout })],
    ...under(
      'limiter',
      limiterRows((options) => loose['limiter']?.(options)),
    ),
    'locks.acquire keys': ['key', (key) => released(locks['acquire']?.(key, { wait: 0 }))],
    ...under(
      'locks.acquire',
      lockRows((options) => released(locks['acquire']?.('k', options))),
    ),
    'locks.run work': ['function', (work) => locks['run']?.('k', {}, work)],
    ...under(
      'locks.run',
      lockRows((options) => locks['run']?.('k', options, load)),
    ),
    'locks.inspect key': ['key', (key) => locks['inspect']?.(key)],
    'lock.extend': ['long', (lease) => held(locks, (lock) => lock['extend']?.(lease))],
    'lock.renewFor': ['duration', (time) => held(locks, (lock) => lock['renewFor']?.(time))],
    'limiter.consume key': ['key', (key) => limiter['consume']?.(key)],
    'limiter.consume cost': ['count', (cost) => limiter['consume']?.('k', cost)],
    ...under(
      'limiter.consume',
      consumeRows((options) => limiter['consume']?.('k', 1, options)),
    ),
    'limiter.peek key': ['key', (key) => limiter['peek']?.(key)],
    'limiter.peek cost': ['count', (cost) => limiter['peek']?.('k', cost)],
    ...under(
      'limiter.peek',
      consumeRows((options) => limiter['peek']?.('k', 1, options)),
    ),
    'limiter.run key': ['key', (key) => limiter['run']?.(key, load)],
    'limiter.run work': ['function', (work) => limiter['run']?.('k', work)],
    'limiter.run cost': ['count', (cost) => limiter['run']?.('k', load, { cost })],
    ...under(
      'limiter.run',
      consumeRows((options) => limiter['run']?.('k', load, options)),
    ),
    'limiter.refund verdict': ['one', (verdict) => limiter['refund']?.(verdict)],
    'limiter.reset key': ['key', (key) => limiter['reset']?.(key)],
    'limiter.block key': ['key', (key) => limiter['block']?.(key, 1)],
    'limiter.block time': ['duration', (time) => limiter['block']?.('b', time)],
    'limiter.reward key': ['key', (key) => limiter['reward']?.(key)],
    'limiter.reward points': ['count', (points) => limiter['reward']?.('k', points)],
    ...under(
      'limiter.reward',
      consumeRows((options) => limiter['reward']?.('k', 1, options)),
    ),
    'limiter.set key': ['key', (key) => limiter['set']?.(key, 0)],
    'limiter.set points': ['count', (points) => limiter['set']?.('k', points)],
    ...under(
      'limiter.set',
      consumeRows((options) => limiter['set']?.('k', 0, options)),
    ),
  }
}

async function released(lock: unknown): Promise<void> {
  await (await (lock as Promise<larder.Lock>)).release()
}

async function held(locks: Loose, use: (lock: Loose) => unknown): Promise<void> {
  const lock = (await locks['acquire']?.('held', {})) as larder.Lock
  try {
    await use(lock as unknown as Loose)
  } finally {
    await lock.release()
  }
}

function storeRows(): Rows {
  const loose = {
    ...larder,
    fromKeyv,
    keyvStorage,
    localLimits,
    localLocks,
    lruStore,
    compression,
  } as unknown as Loose
  const redis = { redisStore, redisLocks, redisLimits } as unknown as Loose
  const keyv = new Map()
  const request = { headers: {}, socket: { remoteAddress: '10.0.0.1' } }
  const address = (options: unknown): unknown => loose['clientAddress']?.(request, options)
  const verdict = { policies: [], source: 'local', allowed: true, policy: 'p' }
  const headers = (options: unknown): unknown => loose['rateLimitHeaders']?.(verdict, options)
  const forRedis: Rows = Object.assign(
    {},
    ...['redisStore', 'redisLocks', 'redisLimits'].map(
      (name): Rows => ({
        [`${name} options`]: ['one', (options) => redis[name]?.(options)],
        [`${name} url`]: ['one', (url) => redis[name]?.({ url })],
        [`${name} client`]: ['one', (client) => redis[name]?.({ client })],
        [`${name} cluster`]: ['one', (cluster) => redis[name]?.({ cluster }), 'an array'],
        [`${name} options.options`]: [
          'options',
          (options) => redis[name]?.({ options }),
          'an object',
          'a date',
          'a map',
          'a promise',
        ],
        [`${name} pingEvery`]: ['long', (pingEvery) => redis[name]?.({ options: {}, pingEvery })],
      }),
    ),
  )
  return {
    ...forRedis,
    'lruStore options': ['options', (options) => loose['lruStore']?.(options)],
    'lruStore maxEntries': ['positive', (maxEntries) => loose['lruStore']?.({ maxEntries })],
    'lruStore maxBytes': [
      'positive',
      (maxBytes) => loose['lruStore']?.({ maxBytes }),
      'a fraction',
    ],
    'localLocks options': ['options', (options) => loose['localLocks']?.(options)],
    'localLocks clock': ['one', (clock) => loose['localLocks']?.({ clock })],
    'localLimits options': ['options', (options) => loose['localLimits']?.(options)],
    'localLimits maxKeys': ['positive', (maxKeys) => loose['localLimits']?.({ maxKeys })],
    'localLimits nowUs': ['function', (nowUs) => loose['localLimits']?.({ nowUs })],
    'quorumLocks options': ['one', (options) => loose['quorumLocks']?.(options)],
    'quorumLocks providers': ['one', (providers) => loose['quorumLocks']?.({ providers })],
    'fromKeyv keyv': ['one', (wrong) => loose['fromKeyv']?.(wrong), 'a map'],
    'fromKeyv options': ['options', (options) => loose['fromKeyv']?.(keyv, options)],
    'fromKeyv values': ['one', (values) => loose['fromKeyv']?.(keyv, { values })],
    'keyvStorage cache': ['one', (cache) => loose['keyvStorage']?.(cache)],
    'compression options': ['options', (options) => loose['compression']?.(options)],
    'compression algorithm': ['one', (algorithm) => loose['compression']?.({ algorithm })],
    'compression threshold': [
      'count',
      (threshold) => loose['compression']?.({ threshold }),
      'a fraction',
    ],
    'compression snappy': ['one', (snappy) => loose['compression']?.({ snappy })],
    'compression level': ['count', (level) => loose['compression']?.({ level })],
    'compression maxInflatedBytes': [
      'positive',
      (maxInflatedBytes) => loose['compression']?.({ maxInflatedBytes }),
      'a fraction',
    ],
    'compression offThread': [
      'count',
      (offThread) => loose['compression']?.({ offThread }),
      'a fraction',
    ],
    'skipCache work': ['function', (work) => loose['skipCache']?.(work)],
    'skipCache mode': ['one', (mode) => loose['skipCache']?.(load, mode)],
    'cached target': ['one', (target) => loose['cached']?.(target, 'find')],
    'cached method': ['one', (method) => loose['cached']?.({}, method)],
    'describeClass class': ['function', (owner) => loose['describeClass']?.(owner)],
    'clientAddress request': ['one', (wrong) => loose['clientAddress']?.(wrong, { proxies: 0 })],
    'clientAddress options': ['one', address],
    'clientAddress proxies': ['count', (proxies) => address({ proxies })],
    'clientAddress header': ['one', (header) => address({ proxies: 1, header })],
    'ipKey address': ['one', (wrong) => loose['ipKey']?.(wrong)],
    'ipKey prefix': ['one', (prefix) => loose['ipKey']?.('::1', prefix)],
    'rateLimitHeaders verdict': ['one', (wrong) => loose['rateLimitHeaders']?.(wrong)],
    'rateLimitHeaders options': ['options', headers],
    'rateLimitHeaders draft': ['one', (draft) => headers({ draft })],
    'rateLimitHeaders legacy': ['boolean', (legacy) => headers({ legacy })],
    'rateLimitHeaders jitter': ['duration', (jitter) => headers({ jitter })],
    'rateLimitHeaders partitionKey': [
      'text',
      (partitionKey) => headers({ partitionKey }),
      'an empty text',
    ],
    'rateLimitProblem verdict': ['tags', (wrong) => loose['rateLimitProblem']?.(wrong)],
    'rateLimitProblem type': ['one', (type) => loose['rateLimitProblem']?.(verdict, type)],
    'valueType type': ['one', (type) => loose['valueType']?.(type)],
  }
}

function creationRows(): Rows {
  const create = (options: unknown): unknown => {
    const caches = createCacheManager(options as larder.CacheManagerOptions)
    return caches.close()
  }
  const of =
    (name: string): Call =>
    (wrong) =>
      create({ namespace: 'wrong', default: false, [name]: wrong })
  return {
    options: ['one', create],
    namespace: ['text', (namespace) => create({ namespace, default: false })],
    local: ['one', of('local')],
    remote: ['one', of('remote')],
    locks: ['one', of('locks')],
    limits: ['one', of('limits')],
    plugins: ['one', of('plugins'), 'an empty array'],
    types: ['one', of('types'), 'an empty array'],
    strictValues: ['boolean', of('strictValues')],
    codec: ['function', of('codec')],
    storeTimeout: ['time', of('storeTimeout')],
    logger: ['one', of('logger'), 'false'],
    enabled: ['boolean', of('enabled')],
    default: ['boolean', of('default')],
    clock: ['one', of('clock')],
    ...under(
      'defaults',
      cacheOptionRows((defaults) => of('defaults')(defaults)),
    ),
  }
}

function decoratorRows(): Rows {
  const loose = larder as unknown as Loose
  const storing = (name: string, base: object): Rows => {
    const of =
      (option: string): Call =>
      (wrong) =>
        loose[name]?.({ ...base, [option]: wrong })
    const { options: _, ...policy } = cacheOptionRows((options) =>
      loose[name]?.({ ...base, ...(options as object) }),
    )
    return {
      ...policy,
      ttl: ['duration', of('ttl'), 'a function'],
      staleWhileRevalidate: ['duration', of('staleWhileRevalidate'), 'a function'],
      staleIfError: ['duration', of('staleIfError'), 'a function'],
      ...(name === 'Cacheable' ? { unshared: ['function', of('unshared')] as const } : {}),
      cache: ['text', of('cache')],
      shareWithSubclasses: ['boolean', of('shareWithSubclasses')],
      unless: ['function', of('unless')],
      condition: ['function', of('condition')],
    }
  }
  const evict =
    (option: string): Call =>
    (wrong) =>
      loose['CacheEvict']?.({ all: true, [option]: wrong })
  const evictKey =
    (option: string): Call =>
    (wrong) =>
      loose['CacheEvict']?.({ key: load, [option]: wrong })
  const { options: _, ...locking } = lockRows((options) => loose['WithLock']?.(options))
  return {
    'Cacheable options': ['options', (options) => loose['Cacheable']?.(options)],
    'Cacheable key': ['text', (key) => loose['Cacheable']?.({ key }), 'a function'],
    'Cacheable each': ['one', (each) => loose['Cacheable']?.({ each })],
    'Cacheable each.key': ['text', (key) => loose['Cacheable']?.({ each: { key } }), 'a function'],
    'Cacheable each.by': ['function', (by) => loose['Cacheable']?.({ each: { key: load, by } })],
    'Cacheable shares': [
      'text',
      (shares) => loose['Cacheable']?.({ shares }),
      'a symbol',
      'an array',
      'an empty array',
    ],
    ...under('Cacheable', storing('Cacheable', {})),
    'CachePut options': ['one', (options) => loose['CachePut']?.(options)],
    'CachePut key': ['text', (key) => loose['CachePut']?.({ key }), 'a function'],
    'CachePut keyOf': ['function', (keyOf) => loose['CachePut']?.({ keyOf })],
    ...under('CachePut', storing('CachePut', { key: load })),
    'CacheEvict options': ['one', (options) => loose['CacheEvict']?.(options)],
    'CacheEvict cache': ['text', evict('cache')],
    'CacheEvict key': ['text', (key) => loose['CacheEvict']?.({ key }), 'a function'],
    'CacheEvict keys': ['function', (keys) => loose['CacheEvict']?.({ keys })],
    'CacheEvict keyOf': ['function', (keyOf) => loose['CacheEvict']?.({ keyOf })],
    'CacheEvict keysOf': ['function', (keysOf) => loose['CacheEvict']?.({ keysOf })],
    'CacheEvict tags': ['tagsOrFunction', evict('tags')],
    'CacheEvict all': ['boolean', evictKey('all'), ...[]],
    'CacheEvict when': ['one', evict('when')],
    'CacheEvict soft': ['boolean', evict('soft')],
    'CacheEvict settle': ['duration', evictKey('settle')],
    'CacheEvict condition': ['function', evict('condition')],
    'CacheEvict conditionOf': ['function', evict('conditionOf')],
    'CacheEvict onRemoteFailure': ['one', evict('onRemoteFailure')],
    'CacheConfig options': ['options', (options) => loose['CacheConfig']?.(options)],
    ...under('CacheConfig', { ...cacheOptionRows((options) => loose['CacheConfig']?.(options)) }),
    'CacheConfig cache': ['text', (cache) => loose['CacheConfig']?.({ cache })],
    'CacheConfig manager': ['function', (manager) => loose['CacheConfig']?.({ manager })],
    'CacheConfig shareWithSubclasses': [
      'boolean',
      (shareWithSubclasses) => loose['CacheConfig']?.({ shareWithSubclasses }),
    ],
    'WithLock key': ['text', (key) => loose['WithLock']?.({ key }), 'a function'],
    'WithLock keys': ['function', (keys) => loose['WithLock']?.({ keys })],
    ...under('WithLock', locking),
    ...under(
      'RateLimited',
      limiterRows((options) => loose['RateLimited']?.(options)),
    ),
    'RateLimited key': [
      'text',
      (key) => loose['RateLimited']?.({ limit: 10, per: '1m', key }),
      'a function',
    ],
    'RateLimited cost': [
      'count',
      (cost) => loose['RateLimited']?.({ limit: 10, per: '1m', cost }),
      'a function',
    ],
    'RateLimited onLimit': [
      'function',
      (onLimit) => loose['RateLimited']?.({ limit: 10, per: '1m', onLimit }),
    ],
    'RateLimited maxWait': [
      'time',
      (maxWait) => loose['RateLimited']?.({ limit: 10, per: '1m', onLimit: 'wait', maxWait }),
    ],
    'RateLimited signal': [
      'function',
      (signal) => loose['RateLimited']?.({ limit: 10, per: '1m', onLimit: 'wait', signal }),
    ],
  }
}

function startManager(): CacheManager {
  const caches = createCacheManager({
    namespace: 'wrong',
    local: lruStore(),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return caches
}

const GROUPS: Readonly<Record<string, () => Rows>> = {
  'a cache': () => cacheRows(startManager().cache('c') as unknown as Loose),
  'a cache of a manager that is switched off': () => {
    const caches = createCacheManager({ namespace: 'off', enabled: false, default: false })
    onTestFinished(() => caches.close())
    return { ...cacheRows(caches.cache('c') as unknown as Loose), ...managerRows(caches) }
  },
  'a manager': () => managerRows(startManager()),
  createCacheManager: creationRows,
  'a decorator': decoratorRows,
  'a store, a plugin, a function': storeRows,
}

describe.each(Object.entries(GROUPS))('%s', (_, rowsOf) => {
  it('refuses what it does not take', async () => {
    const taken: string[] = []
    for (const [name, [kind, call, ...also]] of Object.entries(rowsOf())) {
      const allowed: readonly string[] = [...TAKES[kind], ...also]
      for (const [words, wrong] of Object.entries(JUNK)) {
        if (allowed.includes(words)) continue
        const outcome = await outcomeOf(() => call(wrong))
        if (outcome !== 'refused') taken.push(`${name}: ${words} → ${outcome}`)
      }
    }
    expect(taken).toEqual([])
  })
})

async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'taken'
  } catch (error) {
    const isOurs = error instanceof InvalidOptionError || error instanceof KeyError
    return isOurs ? 'refused' : String(error)
  }
}
