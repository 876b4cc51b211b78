/** A process that handles messages, writes down what it did, and may kill itself at a given step. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { createStream, type Stream, type StreamConsumer } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'

/** Where the process dies: at the first line of the handler, at its last one, while the store is told, and after that. */
export type CrashStep = 'begin' | 'end' | 'telling' | 'told'

export interface StreamWorkerInit {
  /** Where the stream is. */
  readonly url: string
  /** Where is written down what was done: a server that nobody kills. */
  readonly ledgerUrl: string
  readonly namespace: string
  readonly ledger: string
  readonly crashAt?: CrashStep
  readonly dedupe?: boolean
  /** Blocks the event loop for so long in each handler. */
  readonly blockMs?: number
  /** Handlers end when this is called. */
  readonly waits?: boolean
}

let caches: CacheManager
let stream: Stream<string>
let consumer: StreamConsumer
let ledger: Redis
let release: () => void = () => undefined
const released = new Promise<void>((resolve) => {
  release = resolve
})

function start(init: StreamWorkerInit): void {
  const { url, ledgerUrl, namespace, crashAt, dedupe, waits = false } = init
  ledger = new Redis(ledgerUrl)
  caches = createCacheManager({ namespace, remote: redisStore({ url }), logger: false })
  stream = createStream<string>(caches, { name: 's' })
  const die = (): void => void process.kill(process.pid, 'SIGKILL')
  caches.on('stream', ({ outcome, id }) => {
    if (outcome === 'handled' && crashAt === 'told') die()
    void ledger.rpush(init.ledger, `${outcome} ${id}`)
  })
  const options = {
    group: 'g',
    concurrency: 4,
    visibility: '1s',
    maxDeliveries: 40,
    retryAfter: 1,
    maxRetryAfter: 50,
    dedupe: dedupe === true ? ('1h' as const) : undefined,
  } as const
  consumer = stream.handle(options, async (message, { id }) => {
    if (crashAt === 'begin') die()
    await ledger.rpush(init.ledger, `began ${id}`)
    if (message === 'poison') throw new Error('poison')
    if (waits) await released
    const until = performance.now() + (init.blockMs ?? 0)
    while (performance.now() < until);
    await ledger.rpush(init.ledger, `ended ${id}`)
    if (crashAt === 'end') die()
    if (crashAt === 'telling') setImmediate(die)
  })
}

async function ready(): Promise<void> {
  await consumer.ready()
}

function goOn(): void {
  release()
}

async function stop(): Promise<void> {
  await caches.close()
  ledger.disconnect()
}

export const worker = { start, ready, goOn, stop }
