/** What does a local hit of a decorated method cost while metrics, logging and tracing watch, next to one that nobody watches? (P21) */

import { Cacheable, CacheConfig, type CacheManager, createCacheManager } from '@larder/core'
import type { Plugin } from '@larder/core/store'
import { lruStore } from '@larder/local-store'
import { logging } from '@larder/plugins/logging'
import { openTelemetryMetrics, prometheus } from '@larder/plugins/metrics'
import { tracing } from '@larder/plugins/tracing'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import { compare, processorNs, type Timed } from './harness.ts'
import { type User, userOf } from './peers.ts'

/** How many keys the hits go over. */
const KEYS = 1_000
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** A class of its own for each contestant, so that none runs code that was compiled for the calls of another. */
function finder(caches: CacheManager): (id: string) => Promise<User> {
  @CacheConfig({ cache: 'users', manager: () => caches })
  class Users {
    @Cacheable({ key: (id: string) => id, tags: ['users', 'people'] })
    async find(id: string): Promise<User> {
      return userOf(id)
    }
  }
  const users = new Users()
  return (id) => users.find(id)
}

type Watchers = Readonly<Record<string, readonly Plugin[]>>

/** Who watches without listening to hits, the one whom nobody does first. */
function readers(): Watchers {
  const logger = logging({ logger: SILENT })
  return {
    nobody: [],
    'Prometheus and logging': [prometheus({ registry: new Registry() }), logger],
    'OpenTelemetry metrics and logging': [
      openTelemetryMetrics({ meterProvider: new MeterProvider() }),
      logger,
    ],
    tracing: [tracing({ tracerProvider: new BasicTracerProvider() })],
  }
}

/** One that does listen. Apart from the others, because whoever comes next pays for the garbage that it leaves. */
function listeners(): Watchers {
  const tracerProvider = new BasicTracerProvider()
  return {
    nobody: [],
    'tracing, localHits: true': [tracing({ tracerProvider, localHits: true })],
  }
}

/** Returns the readers, then the listeners; all hits are within one request that has a span. */
export async function watchedHit(
  operations: number,
  rounds: number,
): Promise<readonly (readonly Timed[])[]> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const span = new BasicTracerProvider().getTracer('bench').startSpan('request')
  return context.with(trace.setSpan(context.active(), span), async () => [
    await timedHits(readers(), { operations, rounds }),
    await timedHits(listeners(), { operations, rounds }),
  ])
}

async function timedHits(
  watchers: Watchers,
  { operations, rounds }: { readonly operations: number; readonly rounds: number },
): Promise<readonly Timed[]> {
  const ids = Array.from({ length: KEYS }, (_, i) => `${1_000_000 + i * 7}`)
  const managers: CacheManager[] = []
  const contestants = await Promise.all(
    Object.entries(watchers).map(async ([name, plugins], i) => {
      const caches = createCacheManager({
        namespace: `bench-${i}`,
        local: lruStore({ maxEntries: 2 * KEYS }),
        plugins,
        default: false,
        logger: false,
        defaults: { ttl: '1h' },
      })
      managers.push(caches)
      const find = finder(caches)
      for (const id of ids) await find(id)
      const round = async (): Promise<number> => {
        for (let n = 0; n < operations; n++) await find(ids[n % KEYS] as string)
        return operations
      }
      return { name, round }
    }),
  )
  const timed = await compare(contestants, rounds, processorNs)
  await Promise.all(managers.map((caches) => caches.close()))
  return timed
}
