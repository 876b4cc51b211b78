/** What is said wrongly is refused when it is said, by every framework in the same words. */

import type { Limiter } from '@larder/core'
import { rateLimit as expressLimit } from '@larder/plugins/express'
import { larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit } from '@larder/plugins/hono'
import { LimitGuard } from '@larder/plugins/http'
import fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startLocal } from './support/stores.ts'

type Refuse = (options: unknown) => unknown

const MAKERS: readonly (readonly [string, Refuse])[] = [
  ['express', (options) => expressLimit(options as never)],
  ['hono', (options) => honoLimit(options as never)],
  ['http', (options) => new LimitGuard(options as never, { where: 'rateLimit' })],
  [
    'fastify',
    async (rateLimit) => {
      const app = fastify()
      onTestFinished(() => app.close())
      await app.register(larder, { rateLimit } as never)
    },
  ],
  [
    'a route of fastify',
    async (rateLimit) => {
      const app = fastify()
      onTestFinished(() => app.close())
      await app.register(larder)
      app.get('/', { config: { larder: { rateLimit } as never } }, () => 'ok')
    },
  ],
]

const key = (): string => 'k'

const WRONG: readonly (readonly [name: string, of: (limiter: Limiter) => unknown, RegExp])[] = [
  ['no options object', () => 'api', /takes an options object/],
  ['null', () => null, /takes an options object/],
  ['a limiter itself', (limiter) => limiter, /options object|limiter|known option/],
  [
    'an option that is mistyped',
    (limiter) => ({ limiter, key, refundIff: key }),
    /Did you mean refundIf/,
  ],
  ['no limiter', () => ({ key }), /\.limiter takes a limiter/],
  ['what is no limiter', () => ({ limiter: { consume: key }, key }), /\.limiter takes a limiter/],
  ['a key that is no function', (limiter) => ({ limiter, key: 'ip' }), /\.key takes/],
  ['null as a key', (limiter) => ({ limiter, key: null }), /\.key takes/],
  ['a fraction as cost', (limiter) => ({ limiter, key, cost: 1.5 }), /\.cost takes a whole number/],
  ['a negative cost', (limiter) => ({ limiter, key, cost: -1 }), /\.cost takes a whole number/],
  ['skip', (limiter) => ({ limiter, key, skip: true }), /\.skip takes a function/],
  ['refundIf', (limiter) => ({ limiter, key, refundIf: 500 }), /\.refundIf takes a function/],
  ['problem', (limiter) => ({ limiter, key, problem: {} }), /\.problem takes a function/],
  [
    'onStoreError',
    (limiter) => ({ limiter, key, onStoreError: 'local' }),
    /\.onStoreError takes "closed" or "open"/,
  ],
  ['draft', (limiter) => ({ limiter, key, draft: 7 }), /\.draft takes 10 or 11/],
  ['legacy', (limiter) => ({ limiter, key, legacy: 'yes' }), /\.legacy takes/],
  ['jitter', (limiter) => ({ limiter, key, jitter: '5 parsecs' }), /\.jitter takes/],
  ['partitionKey', (limiter) => ({ limiter, key, partitionKey: 5 }), /\.partitionKey takes/],
  ['an empty list', () => ({ limits: [] }), /\.limits takes a list/],
  ['no list', (limiter) => ({ limits: { limiter, key } }), /\.limits takes a list/],
  ['too many', (limiter) => ({ limits: Array(17).fill({ limiter, key }) }), /at most 16/],
  [
    'a limiter beside a list',
    (limiter) => ({ limiter, limits: [{ limiter, key }] }),
    /one of the limits/,
  ],
  [
    'a wrong one in a list',
    (limiter) => ({ limits: [{ limiter, key, skip: key }] }),
    /limits\[0\]\.skip/,
  ],
]

describe.each(MAKERS)('%s refuses', (_, make) => {
  it.each(WRONG)('%s', async (__, of, message) => {
    const limiter = startLocal().limiter({ limit: 1, per: '1h' })
    await expect((async () => make(of(limiter)))()).rejects.toThrow(message)
  })
})

it('Express refuses a word for trustsAnyProxy, and Fastify too', async () => {
  const limiter = startLocal().limiter({ limit: 1, per: '1h' })
  expect(() => expressLimit({ limiter, trustsAnyProxy: 'yes' as never })).toThrow(/trustsAnyProxy/)
  const app = fastify()
  onTestFinished(() => app.close())
  await expect(async () => app.register(larder, { trustsAnyProxy: 1 } as never)).rejects.toThrow(
    /trustsAnyProxy/,
  )
})
