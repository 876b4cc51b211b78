/** What an option's documentation says of its default is what the code uses: both ways, for every set of options. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GET_DEFAULTS } from '../../packages/core/src/cache/entry-options.ts'
import { UPDATE_DEFAULTS } from '../../packages/core/src/cache/update-options.ts'
import { WARM_DEFAULTS } from '../../packages/core/src/cache/warm.ts'
import { CACHE_EVICT_DEFAULTS } from '../../packages/core/src/decorators/cache-evict-options.ts'
import { RATE_LIMITED_DEFAULTS } from '../../packages/core/src/decorators/rate-limited-options.ts'
import { FLEET_DEFAULTS } from '../../packages/core/src/fleet/fleet-options.ts'
import { CLIENT_ADDRESS_DEFAULTS } from '../../packages/core/src/limits/client-address.ts'
import { HEADER_DEFAULTS } from '../../packages/core/src/limits/http-headers.ts'
import { LIMITER_DEFAULTS } from '../../packages/core/src/limits/limiter-options.ts'
import {
  CONCURRENCY_DEFAULTS,
  POLICY_DEFAULTS,
} from '../../packages/core/src/limits/policy-options.ts'
import { LOCK_DEFAULTS, REPLICAS_DEFAULTS } from '../../packages/core/src/locks/lock-options.ts'
import { MANAGER_DEFAULTS } from '../../packages/core/src/manager/manager-options.ts'
import { READY_DEFAULTS } from '../../packages/core/src/manager/ready-options.ts'
import { CACHE_DEFAULTS } from '../../packages/core/src/options/cache-options.ts'
import { EVICT_DEFAULTS } from '../../packages/core/src/options/evict-options.ts'
import { MEASURE_STALENESS_DEFAULTS } from '../../packages/core/src/options/measure-staleness.ts'
import { FROM_KEYV_DEFAULTS } from '../../packages/keyv-store/src/from-keyv.ts'
import { ADAPTIVE_STORE_DEFAULTS } from '../../packages/local-store/src/adaptive-store.ts'
import { LOCAL_LIMITS_DEFAULTS } from '../../packages/local-store/src/limits/local-limits.ts'
import { LRU_STORE_DEFAULTS } from '../../packages/local-store/src/lru-store.ts'
import { LOCAL_SESSIONS_DEFAULTS } from '../../packages/local-store/src/sessions/local-sessions.ts'
import { MODULE_DEFAULTS } from '../../packages/nest/src/module-options.ts'
import { HEALTH_DEFAULTS } from '../../packages/nest/src/terminus.ts'
import { PERIOD_DEFAULTS } from '../../packages/plugins/src/boards/common-options.ts'
import { COUNTER_DEFAULTS } from '../../packages/plugins/src/boards/counter-options.ts'
import { LEADERBOARD_DEFAULTS } from '../../packages/plugins/src/boards/leaderboard-options.ts'
import { UNIQUES_DEFAULTS } from '../../packages/plugins/src/boards/unique-options.ts'
import { COMPRESSION_DEFAULTS } from '../../packages/plugins/src/compression/compression.ts'
import { ENCRYPTION_DEFAULTS } from '../../packages/plugins/src/encryption/encryption.ts'
import { LOGGING_DEFAULTS } from '../../packages/plugins/src/logging/logging.ts'
import { SNAPSHOT_DEFAULTS } from '../../packages/plugins/src/messaging/event-fold.ts'
import {
  EVENT_STORE_DEFAULTS,
  PROJECT_DEFAULTS,
} from '../../packages/plugins/src/messaging/event-store-options.ts'
import { HANDLE_DEFAULTS } from '../../packages/plugins/src/messaging/handle-options.ts'
import { STREAM_DEFAULTS } from '../../packages/plugins/src/messaging/stream-options.ts'
import {
  SUBSCRIBE_DEFAULTS,
  TOPIC_DEFAULTS,
} from '../../packages/plugins/src/messaging/topic-options.ts'
import { OPEN_TELEMETRY_METRICS_DEFAULTS } from '../../packages/plugins/src/metrics/open-telemetry.ts'
import { PROMETHEUS_DEFAULTS } from '../../packages/plugins/src/metrics/prometheus.ts'
import { SESSION_DEFAULTS } from '../../packages/plugins/src/sessions/session-options.ts'
import { STRUCTURE_DEFAULTS } from '../../packages/plugins/src/structures/structure-options.ts'
import { TRACING_DEFAULTS } from '../../packages/plugins/src/tracing/tracing.ts'
import { WRITE_BEHIND_DEFAULTS } from '../../packages/plugins/src/write-behind/queue-options.ts'
import { REDIS_STORE_DEFAULTS } from '../../packages/redis-store/src/options.ts'

const PACKAGES = join(import.meta.dirname, '..', '..', 'packages')

/** Each with the interfaces that it is about, and where those are. */
const SETS: readonly (readonly [string, readonly string[], object])[] = [
  ['core/src/options/cache-options.ts', ['CacheOptions'], CACHE_DEFAULTS],
  ['core/src/options/evict-options.ts', ['EvictOptions'], EVICT_DEFAULTS],
  ['core/src/cache/entry-options.ts', ['EntryOptions', 'LoadOptions', 'GetOptions'], GET_DEFAULTS],
  ['core/src/cache/warm.ts', ['WarmOptions'], WARM_DEFAULTS],
  ['core/src/decorators/cache-evict-options.ts', ['CacheEvictFields'], CACHE_EVICT_DEFAULTS],
  [
    'core/src/decorators/rate-limited-options.ts',
    ['RateLimitedOwnOptions', 'OnLimit'],
    RATE_LIMITED_DEFAULTS,
  ],
  ['core/src/limits/client-address.ts', ['ClientAddressOptions'], CLIENT_ADDRESS_DEFAULTS],
  ['core/src/limits/http-headers.ts', ['RateLimitHeaderOptions'], HEADER_DEFAULTS],
  ['core/src/limits/limiter-options.ts', ['LimiterOwnOptions'], LIMITER_DEFAULTS],
  ['core/src/limits/policy-options.ts', ['PolicyOptions'], POLICY_DEFAULTS],
  ['core/src/limits/policy-options.ts', ['ConcurrencyOptions'], CONCURRENCY_DEFAULTS],
  ['core/src/locks/lock-options.ts', ['LockOptions'], LOCK_DEFAULTS],
  ['core/src/locks/lock-options.ts', ['ReplicasOptions'], REPLICAS_DEFAULTS],
  ['core/src/manager/manager-options.ts', ['CacheManagerOptions'], MANAGER_DEFAULTS],
  ['core/src/manager/ready-options.ts', ['ReadyOptions'], READY_DEFAULTS],
  ['local-store/src/lru-store.ts', ['LruStoreOptions'], LRU_STORE_DEFAULTS],
  ['local-store/src/adaptive-store.ts', ['AdaptiveStoreOptions'], ADAPTIVE_STORE_DEFAULTS],
  ['local-store/src/limits/local-limits.ts', ['LocalLimitsOptions'], LOCAL_LIMITS_DEFAULTS],
  ['local-store/src/sessions/local-sessions.ts', ['LocalSessionsOptions'], LOCAL_SESSIONS_DEFAULTS],
  ['redis-store/src/options.ts', ['RedisStoreOptions'], REDIS_STORE_DEFAULTS],
  ['keyv-store/src/from-keyv.ts', ['FromKeyvOptions'], FROM_KEYV_DEFAULTS],
  ['plugins/src/compression/compression.ts', ['CompressionOptions'], COMPRESSION_DEFAULTS],
  ['nest/src/module-options.ts', ['LarderModuleExtras'], MODULE_DEFAULTS],
  ['nest/src/terminus.ts', ['HealthCheckOptions'], HEALTH_DEFAULTS],
  ['plugins/src/logging/logging.ts', ['LoggingOptions'], LOGGING_DEFAULTS],
  ['plugins/src/metrics/prometheus.ts', ['PrometheusOptions'], PROMETHEUS_DEFAULTS],
  [
    'plugins/src/metrics/open-telemetry.ts',
    ['OpenTelemetryMetricsOptions'],
    OPEN_TELEMETRY_METRICS_DEFAULTS,
  ],
  ['core/src/cache/update-options.ts', ['UpdateOptions'], UPDATE_DEFAULTS],
  ['core/src/fleet/fleet-options.ts', ['FleetOptions'], FLEET_DEFAULTS],
  [
    'core/src/options/measure-staleness.ts',
    ['MeasureStalenessOptions'],
    MEASURE_STALENESS_DEFAULTS,
  ],
  ['plugins/src/boards/common-options.ts', ['PeriodOptions'], PERIOD_DEFAULTS],
  ['plugins/src/boards/counter-options.ts', ['CounterOptions'], COUNTER_DEFAULTS],
  ['plugins/src/boards/leaderboard-options.ts', ['LeaderboardOptions'], LEADERBOARD_DEFAULTS],
  ['plugins/src/boards/unique-options.ts', ['UniquesOptions'], UNIQUES_DEFAULTS],
  ['plugins/src/encryption/encryption.ts', ['EncryptionOptions'], ENCRYPTION_DEFAULTS],
  ['plugins/src/messaging/event-fold.ts', ['SnapshotOptions'], SNAPSHOT_DEFAULTS],
  ['plugins/src/messaging/event-store-options.ts', ['EventStoreOptions'], EVENT_STORE_DEFAULTS],
  ['plugins/src/messaging/event-store-options.ts', ['ProjectOptions'], PROJECT_DEFAULTS],
  ['plugins/src/messaging/handle-options.ts', ['HandleOptions'], HANDLE_DEFAULTS],
  ['plugins/src/messaging/stream-options.ts', ['StreamOptions'], STREAM_DEFAULTS],
  ['plugins/src/messaging/topic-options.ts', ['TopicOptions'], TOPIC_DEFAULTS],
  ['plugins/src/messaging/topic-options.ts', ['SubscribeOptions'], SUBSCRIBE_DEFAULTS],
  ['plugins/src/sessions/session-options.ts', ['SessionOptions'], SESSION_DEFAULTS],
  [
    'plugins/src/structures/structure-options.ts',
    ['ListOptions', 'StructureOptions'],
    STRUCTURE_DEFAULTS,
  ],
  ['plugins/src/tracing/tracing.ts', ['TracingOptions'], TRACING_DEFAULTS],
  ['plugins/src/write-behind/queue-options.ts', ['QueueOptions'], WRITE_BEHIND_DEFAULTS],
]

describe.each(SETS)('%s, %s', (file, names, defaults) => {
  it('says the defaults that hold', () => {
    const text = readFileSync(join(PACKAGES, file), 'utf8')
    const said = names.flatMap((name) => documentedDefaults(interfaceOf(text, name)))
    expect(Object.fromEntries(said)).toEqual(defaults)
  })
})

function interfaceOf(text: string, name: string): string {
  const found = new RegExp(`^export interface ${name}\\b.*?^}`, 'ms').exec(text)
  if (found === null) throw new Error(`There is no interface ${name}`)
  return found[0]
}

/** Fields with a default that is one value; what depends on something else is said in words. */
function documentedDefaults(text: string): readonly (readonly [string, unknown])[] {
  const fields = text.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s*readonly (\w+)\??:/gs)
  return Array.from(fields, ([, doc = '', name = '']) => [name, valueSaid(doc)] as const).filter(
    ([, value]) => value !== undefined,
  )
}

function valueSaid(doc: string): unknown {
  const words =
    /@default\s+(.*)$/s
      .exec(doc)?.[1]
      ?.replaceAll(/\s*\n\s*\*?\s*/g, ' ')
      .trim() ?? ''
  const quoted = /^'([^']*)'$/.exec(words)
  if (quoted !== null) return quoted[1]
  if (/^[\d_.]+$/.test(words)) return Number(words.replaceAll('_', ''))
  return words === 'true' || words === 'false' ? words === 'true' : undefined
}
