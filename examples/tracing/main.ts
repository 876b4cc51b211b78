/** What three requests leave in a trace: one loads, one waits for its load, and one is served from memory. */

import { createCacheManager } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { tracing } from '@larder/plugins/tracing'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

// What an application has from its OpenTelemetry SDK, with an exporter that keeps spans here.
const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
})
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const tracer = tracerProvider.getTracer('example')

const caches = createCacheManager({
  namespace: 'shop',
  local: lruStore(),
  // Stands in for Redis, so that nothing has to be installed.
  remote: new MemoryServer().store(),
  codec: structuredCodec,
  // Counting local hits costs each of them several times what it takes.
  plugins: [tracing({ tracerProvider, localHits: true })],
  default: false,
})
const prices = caches.cache<number>('prices', { ttl: '1m' })

/** The database is asked in a span of its own: a child of the loader's, because that is active here. */
async function priceOf(id: string): Promise<number> {
  return tracer.startActiveSpan('SELECT price', async (span) => {
    await new Promise((resolve) => setImmediate(resolve))
    span.end()
    return id.length
  })
}

function request(name: string): Promise<number> {
  return tracer.startActiveSpan(name, async (span) => {
    const price = await prices.getOrLoad('book', () => priceOf('book'))
    span.end()
    return price
  })
}

await Promise.all([request('GET /first'), request('GET /second')])
await request('GET /third')
await caches.close()

const spans = exporter.getFinishedSpans()
const nameOf = (id: string | undefined) =>
  spans.find((span) => span.spanContext().spanId === id)?.name
for (const span of spans) {
  const parent = nameOf(span.parentSpanContext?.spanId) ?? 'nothing'
  const links = span.links.map(({ context: to }) => `, linked to ${nameOf(to.spanId)}`)
  const hits = span.attributes['larder.cache.local_hits']
  const counted = hits === undefined ? '' : `, local hits: ${hits}`
  console.log(`${span.name} in ${parent}${links.join('')}${counted}`)
}
