/** What a log says of a shared store that goes away under load and comes back: a line for each change of state, and none for a read. */

import { createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { type LogSink, logging } from '@larder/plugins/logging'

/** Stands in for pino, which writes the same as JSON. */
const write =
  (level: string) =>
  (fields: object, message: string): void => {
    const { event } = fields as { readonly event: string }
    console.log(`${level.padEnd(5)} ${event.padEnd(14)} ${message}`)
  }
const logger: LogSink = { info: write('info'), warn: write('warn'), error: write('error') }

// Both stand still until they are told, so that the example takes no time and needs no Redis.
const clock = new ManualClock()
const store = new MemoryServer({ clock }).store()

const caches = createCacheManager({
  namespace: 'shop',
  local: lruStore(),
  remote: store,
  codec: structuredCodec,
  clock,
  logger: false,
  plugins: [logging({ logger, levels: { 'store-error': false } })],
  default: false,
})
const products = caches.cache<string>('products', { ttl: '1h' })

async function read(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await products.getOrLoad(`${i % 10}`, () => 'a product')
  console.log(`read ${times} times`)
}

await clock.advanceAsync(0)
await read(1_000)

console.log('— the store goes away')
store.disconnect()
await clock.advanceAsync(5_000)
await products.evict('1')
await read(1_000)
await clock.advanceAsync(60_000)

console.log('— and comes back')
store.reconnect()
await clock.advanceAsync(60_000)
await read(1_000)

const closing = caches.close()
await clock.advanceAsync(10_000)
await closing
