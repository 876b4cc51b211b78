/** A trace in memory: a request, the load that it needs, and what the loader calls. */

import { deepStrictEqual as equal } from 'node:assert'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { tracing } from '@larder/plugins/tracing'
import { exporter, tracerProvider } from './sdk.js'

const tracer = tracerProvider.getTracer('app')
const caches = createCacheManager({
  namespace: 'traced',
  local: lruStore(),
  plugins: [tracing({ tracerProvider, localHits: true })],
  default: false,
})

async function main(): Promise<void> {
  const prices = caches.cache<number>('prices', { ttl: '1m' })
  const load = async (): Promise<number> =>
    tracer.startActiveSpan('query', (span) => {
      span.end()
      return 7
    })
  await tracer.startActiveSpan('request', async (span) => {
    equal(await prices.getOrLoad('book', load), 7)
    equal(await prices.getOrLoad('book', load), 7)
    span.end()
  })
  await caches.close()
  const spans = exporter.getFinishedSpans()
  const parents = spans.map(({ name, parentSpanContext }) => {
    const parent = spans.find((span) => span.spanContext().spanId === parentSpanContext?.spanId)
    return [name, parent?.name]
  })
  equal(parents, [
    ['query', 'larder.load prices'],
    ['larder.load prices', 'request'],
    ['request', undefined],
  ])
  equal(spans[2]?.attributes, { 'larder.cache.local_hits': 1 })
}

main().then(
  () => console.log('one trace of a request and its load'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
