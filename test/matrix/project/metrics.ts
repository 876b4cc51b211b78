/** Numbers of a cache as text over HTTP, as Prometheus scrapes them, with the registry of either client. */

import { strictEqual as equal, ok } from 'node:assert'
import { createServer } from 'node:http'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type PrometheusRegistry, prometheus } from '@larder/plugins/metrics'
import { Registry as CurrentRegistry } from '@prometheus-io/client'
import { Registry } from 'prom-client'

interface Printing {
  readonly contentType: string
  metrics(): Promise<string>
}

/** The samples of a text, by their names and labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, series = '', value] = /^(\S+) (\S+)$/.exec(line) ?? []
      return [series, Number(value)] as const
    }),
  )
}

async function scrape(registry: Printing): Promise<ReadonlyMap<string, number>> {
  const server = createServer((_, response) => {
    registry.metrics().then(
      (text) => response.setHeader('content-type', registry.contentType).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  const text = await response.text()
  equal(response.status, 200, text)
  ok(response.headers.get('content-type')?.startsWith('text/plain'))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return samplesOf(text)
}

async function check(registry: Printing & PrometheusRegistry): Promise<void> {
  const caches = createCacheManager({
    namespace: 'scraped',
    local: lruStore(),
    plugins: [prometheus({ registry })],
    default: false,
  })
  const prices = caches.cache<number>('prices', { ttl: '1m' })
  for (let i = 0; i < 3; i++) await prices.getOrLoad('book', () => 7)
  const limiter = caches.limiter({ name: 'api', limit: 1, per: '1h' })
  for (let i = 0; i < 2; i++) await limiter.consume('user')
  const samples = await scrape(registry)
  const sum = (...parts: readonly string[]): number =>
    [...samples]
      .filter(([series]) => parts.every((part) => series.includes(part)))
      .reduce((total, [, value]) => total + value, 0)
  equal(sum('larder_cache_requests_total{', 'cache="prices"', 'result="local"'), 2)
  equal(sum('larder_cache_requests_total{', 'cache="prices"', 'result="miss"'), 1)
  equal(sum('larder_cache_load_duration_seconds_count{', 'cache="prices"'), 1)
  equal(sum('larder_limit_decisions_total{', 'limiter="api"', 'allowed="false"'), 1)
  equal(sum('larder_cache_entries{'), 1)
  await caches.close()
}

async function main(): Promise<void> {
  await check(new Registry())
  await check(new CurrentRegistry())
}

main().then(
  () => console.log('scraped as it was counted'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
