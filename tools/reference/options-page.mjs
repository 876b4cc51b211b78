/** The page of options: every option with its type, meaning and default, from the docstrings in the sources. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldsOf } from './interfaces.mjs'

const CORE = 'packages/core/src'

/** What is on the page, in this order: a heading, a sentence, and the interfaces whose fields follow. */
export const SECTIONS = [
  {
    title: '`createCacheManager`',
    about: 'See [the cache manager](../guides/managers.md).',
    of: [[`${CORE}/manager/manager-options.ts`, 'CacheManagerOptions']],
  },
  {
    title: '`measureStaleness`',
    about:
      'See [measured staleness](../guides/events-and-statistics.md#how-old-is-it-measured-staleness).',
    of: [[`${CORE}/options/measure-staleness.ts`, 'MeasureStalenessOptions']],
  },
  {
    title: '`fleet`',
    about: '`true` for what is the default of each. See [the fleet](../guides/fleet.md).',
    of: [[`${CORE}/fleet/fleet-options.ts`, 'FleetOptions']],
  },
  {
    title: 'Cache policy',
    about:
      'For the manager (`defaults`), a class (`@CacheConfig`), a cache (`caches.cache(name, …)`) and a method (`@Cacheable`, ' +
      '`@CachePut`). See [policies](../guides/policies.md).',
    of: [[`${CORE}/options/cache-options.ts`, 'CacheOptions']],
  },
  {
    title: '`@CacheConfig`',
    about:
      'And every option of the [cache policy](#cache-policy). See [decorators](../guides/decorators.md).',
    of: [[`${CORE}/decorators/cache-config.ts`, 'ClassConfig']],
  },
  {
    title: '`@Cacheable`',
    about:
      'And every option of the [cache policy](#cache-policy). See [decorators](../guides/decorators.md#cacheable).',
    of: [
      [`${CORE}/decorators/cacheable.ts`, 'CacheableFields'],
      [`${CORE}/decorators/reading/storing-options.ts`, 'StoringOptions'],
    ],
    without: ['each'],
  },
  {
    title: '`each` of `@Cacheable`',
    about:
      'One entry for each element of the first argument. See [each](../guides/decorators.md#each).',
    of: [[`${CORE}/decorators/reading/each-options.ts`, 'EachOptions']],
  },
  {
    title: '`@CachePut`',
    about:
      'And every option of the [cache policy](#cache-policy). See [decorators](../guides/decorators.md#cacheput).',
    of: [
      [`${CORE}/decorators/cache-put.ts`, 'CachePutFields'],
      [`${CORE}/decorators/reading/storing-options.ts`, 'StoringOptions'],
    ],
  },
  {
    title: '`@CacheEvict`',
    about:
      "At least one of `key`, `keys`, `keyOf`, `keysOf`, `tags` and `all`. `when` may also be `'before'`; then what needs the " +
      'result is not there. See [decorators](../guides/decorators.md#cacheevict).',
    of: [[`${CORE}/decorators/cache-evict-options.ts`, 'CacheEvictFields']],
  },
  {
    title: '`evict`, `evictMany`, `evictTags`, `clear`, `evictPattern`',
    about: '`settle` is for keys only.',
    of: [[`${CORE}/options/evict-options.ts`, 'EvictOptions']],
  },
  {
    title: '`set`, `getOrLoad`, `getManyOrLoad`, `refresh`, `get`, `getMany`',
    about:
      '`tags` and `ttl`: of what writes or loads; `signal`: of all but `set`; `hardTimeout`: of what loads; `allowStale`: of ' +
      '`get` and `getMany`. See [caches without decorators](../guides/caches-without-decorators.md).',
    of: [
      [`${CORE}/cache/entry-options.ts`, 'EntryOptions'],
      [`${CORE}/cache/entry-options.ts`, 'LoadOptions'],
      [`${CORE}/cache/entry-options.ts`, 'GetOptions'],
    ],
  },
  {
    title: '`update`',
    about:
      'And `tags` and `ttl`, as of `set`. See [caches without decorators](../guides/caches-without-decorators.md#updating-an-entry-update).',
    of: [[`${CORE}/cache/update-options.ts`, 'UpdateOptions']],
  },
  {
    title: '`warm`',
    about: 'And `tags` and `ttl`, as of `set`.',
    of: [[`${CORE}/cache/warm.ts`, 'WarmOptions']],
  },
  {
    title: '`@WithLock`, `caches.locks`',
    about:
      '`key` and `keys` are of the decorator, `signal` of `caches.locks`. See [locks](../guides/locks.md).',
    of: [
      [`${CORE}/decorators/with-lock.ts`, 'WithLockFields'],
      [`${CORE}/locks/lock-options.ts`, 'LockOptions'],
    ],
  },
  {
    title: '`replicas` of a lock',
    about: 'How many replicas have to have the grant. See [locks](../guides/locks.md).',
    of: [[`${CORE}/locks/lock-options.ts`, 'ReplicasOptions']],
  },
  {
    title: '`@RateLimited`',
    about: 'And every option of [a limiter](#a-limiter). See [limits](../guides/limits.md).',
    of: [
      [`${CORE}/decorators/rate-limited-options.ts`, 'RateLimitedOwnOptions'],
      [`${CORE}/decorators/rate-limited-options.ts`, 'OnLimit'],
    ],
  },
  {
    title: 'A limiter',
    about:
      'Of `caches.limiter` and `@RateLimited`: these, and one policy among them or several as `policies`.',
    of: [[`${CORE}/limits/limiter-options.ts`, 'LimiterOwnOptions']],
  },
  {
    title: 'A policy of a limiter',
    about: 'See [algorithms](../guides/limits.md#algorithms).',
    of: [[`${CORE}/limits/policy-options.ts`, 'PolicyOptions']],
  },
  {
    title: "A policy with `algorithm: 'concurrency'`",
    about: 'How many at the same time, instead of how many in a time.',
    of: [[`${CORE}/limits/policy-options.ts`, 'ConcurrencyOptions']],
    without: ['per'],
  },
  {
    title: '`limiter.consume`, `limiter.run`',
    about: 'See [limits](../guides/limits.md).',
    of: [
      [`${CORE}/limits/consume-options.ts`, 'ConsumeOptions'],
      [`${CORE}/limits/consume-options.ts`, 'RunOptions'],
    ],
  },
  {
    title: '`rateLimitHeaders`, `clientAddress`',
    about: '`proxies` and `header` are of `clientAddress`. See [HTTP](../guides/limits.md#http).',
    of: [
      [`${CORE}/limits/http-headers.ts`, 'RateLimitHeaderOptions'],
      [`${CORE}/limits/client-address.ts`, 'ClientAddressOptions'],
    ],
  },
  {
    title: '`quorumLocks`',
    about: 'See [several independent servers](../guides/locks.md#several-independent-servers).',
    of: [[`${CORE}/locks/quorum-locks.ts`, 'QuorumLocksOptions']],
  },
  {
    title: '`lruStore`',
    about: 'See [sizing](../guides/operations.md#sizing).',
    of: [['packages/local-store/src/lru-store.ts', 'LruStoreOptions']],
  },
  {
    title: '`adaptiveStore`',
    about: 'See [the tier in process](../guides/local-tier.md).',
    of: [['packages/local-store/src/adaptive-store.ts', 'AdaptiveStoreOptions']],
  },
  {
    title: '`localLocks`',
    about: 'Locks within the process.',
    of: [['packages/local-store/src/locks/local-locks.ts', 'LocalLocksOptions']],
  },
  {
    title: '`createLeaderboard`',
    about: 'See [leaderboards](../guides/boards.md).',
    of: [
      ['packages/plugins/src/boards/leaderboard-options.ts', 'LeaderboardOptions'],
      ['packages/plugins/src/boards/common-options.ts', 'PeriodOptions'],
    ],
  },
  {
    title: '`rank`, `around`, `top`, `score` and `count` of a leaderboard',
    about: 'See [leaderboards](../guides/boards.md).',
    of: [
      ['packages/plugins/src/boards/leaderboard-options.ts', 'TopOptions'],
      ['packages/plugins/src/boards/leaderboard-options.ts', 'RankOptions'],
      ['packages/plugins/src/boards/leaderboard-options.ts', 'ViewOptions'],
    ],
  },
  {
    title: '`createCounter`',
    about: 'See [counters](../guides/counters.md).',
    of: [
      ['packages/plugins/src/boards/counter-options.ts', 'BufferedCounterOptions'],
      ['packages/plugins/src/boards/counter-options.ts', 'CounterOptions'],
    ],
  },
  {
    title: '`add`, `count` and `series` of a counter',
    about: 'See [counters](../guides/counters.md).',
    of: [
      ['packages/plugins/src/boards/counter-options.ts', 'AddOptions'],
      ['packages/plugins/src/boards/counter-options.ts', 'CountOptions'],
    ],
  },
  {
    title: '`createUniques`',
    about: 'See [unique visitors](../guides/unique-visitors.md).',
    of: [['packages/plugins/src/boards/unique-options.ts', 'UniquesOptions']],
  },
  {
    title: '`localBoards`',
    about:
      'Leaderboards, counters and unique visitors within the process. See [leaderboards](../guides/boards.md).',
    of: [['packages/local-store/src/boards/local-boards.ts', 'LocalBoardsOptions']],
  },
  {
    title: '`createStream`',
    about: 'See [streams](../guides/streams.md).',
    of: [['packages/plugins/src/messaging/stream-options.ts', 'StreamOptions']],
  },
  {
    title: '`add`, `addMany` and `deadLetters` of a stream',
    about: 'See [streams](../guides/streams.md).',
    of: [
      ['packages/plugins/src/messaging/stream-options.ts', 'AddOptions'],
      ['packages/plugins/src/messaging/stream-options.ts', 'AddManyOptions'],
      ['packages/plugins/src/messaging/dead-letters.ts', 'DeadLettersOptions'],
    ],
  },
  {
    title: '`handle` of a stream, and `@StreamHandler`',
    about: 'See [streams](../guides/streams.md).',
    of: [
      ['packages/plugins/src/messaging/stream-handler.ts', 'StreamHandlerOptions'],
      ['packages/plugins/src/messaging/handle-options.ts', 'HandleOptions'],
    ],
  },
  {
    title: '`localStreams`',
    about: 'Streams within the process. See [streams](../guides/streams.md).',
    of: [['packages/local-store/src/streams/local-streams.ts', 'LocalStreamsOptions']],
  },
  {
    title: '`createTopic`, `createTopicPattern`',
    about: 'See [topics](../guides/topics.md).',
    of: [
      ['packages/plugins/src/messaging/topic-options.ts', 'TopicOptions'],
      ['packages/plugins/src/messaging/topic-options.ts', 'TopicPatternOptions'],
    ],
  },
  {
    title: '`subscribe` of a topic',
    about: 'See [topics](../guides/topics.md).',
    of: [['packages/plugins/src/messaging/topic-options.ts', 'SubscribeOptions']],
  },
  {
    title: '`createEventStore`',
    about: 'See [event stores](../guides/event-store.md).',
    of: [['packages/plugins/src/messaging/event-store-options.ts', 'EventStoreOptions']],
  },
  {
    title: '`append`, `read`, `readAll` and `project` of an event store',
    about: 'See [event stores](../guides/event-store.md).',
    of: [
      ['packages/plugins/src/messaging/event-store-options.ts', 'AppendOptions'],
      ['packages/plugins/src/messaging/event-store-options.ts', 'ReadEventsOptions'],
      ['packages/plugins/src/messaging/event-store-options.ts', 'ReadAllOptions'],
      ['packages/plugins/src/messaging/event-store-options.ts', 'ProjectOptions'],
    ],
  },
  {
    title: '`fold` of an event store',
    about: 'See [event stores](../guides/event-store.md).',
    of: [
      ['packages/plugins/src/messaging/event-fold.ts', 'Fold'],
      ['packages/plugins/src/messaging/event-fold.ts', 'SnapshotOptions'],
    ],
  },
  {
    title: '`localEventStore`',
    about: 'Event stores within the process. See [event stores](../guides/event-store.md).',
    of: [['packages/local-store/src/event-store/local-event-store.ts', 'LocalEventStoreOptions']],
  },
  {
    title: '`createMap`, `createSet` and `createList`',
    about: '`whenFull` is not an option of lists. See [structures](../guides/structures.md).',
    of: [
      ['packages/plugins/src/structures/structure-options.ts', 'StructureOptions'],
      ['packages/plugins/src/structures/structure-options.ts', 'ListOptions'],
    ],
  },
  {
    title: '`push` and `items` of a list',
    about: 'See [lists](../guides/structures.md#lists).',
    of: [
      ['packages/plugins/src/structures/shared-list.ts', 'PushOptions'],
      ['packages/plugins/src/structures/shared-list.ts', 'ItemsOptions'],
    ],
  },
  {
    title: '`localStructures`',
    about: 'Maps, sets and lists within the process. See [structures](../guides/structures.md).',
    of: [['packages/local-store/src/structures/local-structures.ts', 'LocalStructuresOptions']],
  },
  {
    title: '`createWriteBehind`',
    about: 'See [write-behind](../guides/write-behind.md).',
    of: [
      ['packages/plugins/src/write-behind/queue-options.ts', 'WriteBehindOptions'],
      ['packages/plugins/src/write-behind/queue-options.ts', 'QueueOptions'],
    ],
  },
  {
    title: '`@WriteBehind`',
    about: 'And the options of a queue. See [write-behind](../guides/write-behind.md).',
    of: [['packages/plugins/src/write-behind/decorator.ts', 'WriteBehindMethodFields']],
  },
  {
    title: '`bullmqWriter`',
    about: 'See [write-behind](../guides/write-behind.md#hand-it-to-bullmq).',
    of: [['packages/plugins/src/write-behind/bullmq/bullmq-writer.ts', 'BullmqWriterOptions']],
  },
  {
    title: '`bullmqProcessor`',
    about: 'See [write-behind](../guides/write-behind.md#hand-it-to-bullmq).',
    of: [
      ['packages/plugins/src/write-behind/bullmq/bullmq-processor.ts', 'BullmqProcessorOptions'],
    ],
  },
  {
    title: '`flush` of a write-behind queue',
    about: 'See [write-behind](../guides/write-behind.md).',
    of: [['packages/plugins/src/write-behind/write-queue.ts', 'FlushOptions']],
  },
  {
    title: '`localWrites`',
    about:
      'Queues of write-behind within the process. See [write-behind](../guides/write-behind.md).',
    of: [['packages/local-store/src/writes/local-writes.ts', 'LocalWritesOptions']],
  },
  {
    title: '`createSessions`',
    about: 'See [sessions](../guides/sessions.md).',
    of: [['packages/plugins/src/sessions/session-options.ts', 'SessionOptions']],
  },
  {
    title: '`sessions.destroyAll`',
    about: 'See [sessions](../guides/sessions.md).',
    of: [['packages/plugins/src/sessions/sessions.ts', 'DestroyAllOptions']],
  },
  {
    title: '`honoSessions`, and its `cookie`',
    about: 'See [sessions in Hono](../guides/sessions.md#hono).',
    of: [
      ['packages/plugins/src/sessions/hono.ts', 'HonoSessionsOptions'],
      ['packages/plugins/src/sessions/hono-cookie.ts', 'SessionCookieOptions'],
    ],
  },
  {
    title: '`localSessions`',
    about: 'Sessions within the process. See [sessions](../guides/sessions.md).',
    of: [['packages/local-store/src/sessions/local-sessions.ts', 'LocalSessionsOptions']],
  },
  {
    title: '`localLimits`',
    about: 'Limits within the process.',
    of: [['packages/local-store/src/limits/local-limits.ts', 'LocalLimitsOptions']],
  },
  {
    title: '`localFleet`',
    about: 'Heartbeats within the process.',
    of: [['packages/local-store/src/fleet/local-fleet.ts', 'LocalFleetOptions']],
  },
  {
    title:
      '`redisStore`, `redisLocks`, `redisLimits`, `redisSessions`, `redisBoards`, `redisWrites`, `fencedValues`',
    about: 'See [operation](../guides/operations.md#tls-sentinel-cluster).',
    of: [['packages/redis-store/src/options.ts', 'RedisStoreOptions']],
  },
  {
    title: '`compression`',
    about: 'See [compression](../guides/compression.md).',
    of: [['packages/plugins/src/compression/compression.ts', 'CompressionOptions']],
  },
  {
    title: '`encryption`',
    about: 'See [encryption](../guides/encryption.md).',
    of: [
      ['packages/plugins/src/encryption/encryption.ts', 'EncryptionOptions'],
      ['packages/plugins/src/encryption/key-ring.ts', 'EncryptionKey'],
    ],
  },
  {
    title: '`prometheus`',
    about: 'See [metrics](../guides/metrics.md).',
    of: [['packages/plugins/src/metrics/prometheus.ts', 'PrometheusOptions']],
  },
  {
    title: '`openTelemetryMetrics`',
    about: 'See [metrics](../guides/metrics.md#opentelemetry).',
    of: [['packages/plugins/src/metrics/open-telemetry.ts', 'OpenTelemetryMetricsOptions']],
  },
  {
    title: '`logging`',
    about: 'See [logging](../guides/logging.md).',
    of: [['packages/plugins/src/logging/logging.ts', 'LoggingOptions']],
  },
  {
    title: '`tracing`',
    about: 'See [tracing](../guides/tracing.md).',
    of: [['packages/plugins/src/tracing/tracing.ts', 'TracingOptions']],
  },
  {
    title: '`rateLimit` of Express, Fastify and Hono',
    about:
      'And `limits`: a list of `limiter`, `key` and `cost`, instead of these. See [limits of requests](../guides/http-limits.md).',
    of: [
      ['packages/plugins/src/http/rate-limit-options.ts', 'LimitedBy'],
      ['packages/plugins/src/http/rate-limit-options.ts', 'RateLimitSettings'],
    ],
  },
  {
    title: '`rateLimit` of Express',
    about: 'And what all have in common. See [Express](../guides/express.md).',
    of: [
      ['packages/plugins/src/http/rate-limit-options.ts', 'AddressLimit'],
      ['packages/plugins/src/http/rate-limit-options.ts', 'ProxyTrust'],
      ['packages/plugins/src/express/express.ts', 'ExpressPlace'],
    ],
  },
  {
    title: '`larder` of Fastify',
    about: 'See [Fastify](../guides/fastify.md).',
    of: [
      ['packages/plugins/src/fastify/fastify.ts', 'LarderFastifyOptions'],
      ['packages/plugins/src/http/rate-limit-options.ts', 'ProxyTrust'],
      ['packages/plugins/src/fastify/limit-options.ts', 'FastifyHookOption'],
      ['packages/plugins/src/fastify/limit-options.ts', 'FastifyRouteOption'],
    ],
  },
  {
    title: '`fromKeyv`',
    about: 'See [Keyv](../guides/keyv.md).',
    of: [['packages/keyv-store/src/from-keyv.ts', 'FromKeyvOptions']],
  },
  {
    title: '`LarderModule`',
    about: 'Beside the options of `createCacheManager`; see [Nest](../guides/nest.md).',
    of: [['packages/nest/src/module-options.ts', 'LarderModuleExtras']],
  },
  {
    title: '`LarderHealthIndicator.check`',
    about: 'See [Nest](../guides/nest.md#health).',
    of: [['packages/nest/src/terminus.ts', 'HealthCheckOptions']],
  },
]

const HEAD = `# Options

Every option with its type, meaning, range and default. This page is made from the docstrings in the code by \`npm run reference\`, and a test
compares the two, so it says what your editor says.

- A **Duration** is \`'250ms'\`, \`'30s'\`, \`'5m'\`, \`'2h'\`, \`'1d'\`, or a number of milliseconds.
- A **Size** is \`'64b'\`, \`'2kb'\`, \`'1mb'\`, \`'1gb'\`, or a number of bytes.
- A **Key** is a text, a number, a bigint, a boolean, or an array of those. See [keys](../guides/keys.md).
- An option that is not known, or not in its range, is an \`InvalidOptionError\` that names it.
`

/** @param root the repository */
export function optionsPage(root) {
  const sections = SECTIONS.map(({ title, about, of, without = [] }) => {
    const fields = of
      .flatMap(([file, name]) => fieldsIn(readFileSync(join(root, file), 'utf8'), name))
      .filter(({ name }) => !without.includes(name))
    return [`## ${title}`, about, tableOf(fields)].join('\n\n')
  })
  return `${[HEAD.trimEnd(), ...sections].join('\n\n')}\n`
}

/** What a type says to the compiler only: not to infer from this place, and to accept what was not annotated. */
const FOR_THE_COMPILER = /NoInfer<(\w+) \| AnyUnlessAnnotated<\1>>/g

/** The fields of an interface; a type that is a union of words in the same file is shown as those. */
function fieldsIn(source, name) {
  return fieldsOf(source, name).map((field) => ({
    ...field,
    type: field.type
      .replace(FOR_THE_COMPILER, '$1')
      .replace(/\b[A-Z]\w+\b/g, (type) => wordsOf(source, type) ?? type),
  }))
}

function wordsOf(source, type) {
  return new RegExp(`^export type ${type} = ('[^\\n]*')$`, 'm').exec(source)?.[1]
}

function tableOf(fields) {
  const rows = fields.map((field) => {
    const standard = field.standard ?? (field.isOptional ? '' : 'required')
    return `| ${[`\`${field.name}\``, `\`${cell(field.type)}\``, cell(field.meaning), cell(inCode(standard))].join(' | ')} |`
  })
  return ['| option | type | meaning | default |', '|---|---|---|---|', ...rows].join('\n')
}

/** Literals are shown as such: `'5m'`, `10_000`, `true`, `[]`. */
function inCode(text) {
  return /^('[^']*'|[\d._]+|true|false|\[\])$/.test(text) ? `\`${text}\`` : text
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}
