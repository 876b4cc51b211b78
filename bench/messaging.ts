/** What do a topic and an event store cost, next to plain PUBLISH and XADD? Prints it, and writes messaging.json. */

import { createCacheManager } from '@larder/core'
import { createEventStore, createTopic } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { type Contestant, compare } from './harness.ts'
import { printQuestion, writeJson } from './report.ts'

export interface MessagingOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const CALLERS = 64
const STREAMS = 1_000

export async function messaging({
  url,
  machine,
  rounds,
  isQuick,
}: MessagingOptions): Promise<void> {
  const calls = isQuick ? 2_000 : 20_000
  const redis = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-messaging',
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  const topic = createTopic(caches, { name: 't', storeTimeout: '10s' })
  const events = createEventStore(caches, { name: 'e', storeTimeout: '10s' })
  let at = 0
  const next = (): string => `s${(at++ * 7_919) % STREAMS}`
  const message = { type: 'deposited', cents: 1_299, note: 'x'.repeat(100) }
  const text = JSON.stringify(message)
  const plain = 'bench-messaging-plain'
  const of = (name: string, call: () => unknown): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(calls / CALLERS)
      const run = async (): Promise<void> => {
        for (let i = 0; i < each; i++) await call()
      }
      await Promise.all(Array.from({ length: CALLERS }, run))
      return each * CALLERS
    },
  })
  const timed = await compare(
    [
      of('PUBLISH', () => redis.publish(plain, text)),
      of('Larder: publish', () => topic.publish(message)),
      of('XADD', () => redis.xadd(`${plain}:${next()}`, '*', 'd', text)),
      of('Larder: append', () => events.append(next(), [message])),
      of('Larder: append, with an id', () => events.append(next(), [message], { id: `${at}` })),
    ],
    rounds,
  )
  redis.disconnect()
  printQuestion({ id: '', title: `Messaging, ${CALLERS} callers, ${STREAMS} streams`, timed })
  if (!isQuick) writeJson('messaging', { machine, rounds, timed })
}
