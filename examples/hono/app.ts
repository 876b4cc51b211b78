/** An API on Hono: a limit for each user, and one for everybody, in one decision. */

import type { CacheManager } from '@larder/core'
import { type LimitedEnv, rateLimit } from '@larder/plugins/hono'
import { Hono } from 'hono'

interface App extends LimitedEnv {
  Variables: LimitedEnv['Variables'] & { userId: string }
}

export function makeApp(caches: CacheManager): Hono<App> {
  const app = new Hono<App>()
  app.use(async (c, next) => {
    c.set('userId', c.req.header('x-user') ?? 'nobody')
    await next()
  })

  const perUser = caches.limiter({ name: 'user', limit: 3, per: '10s' })
  const everybody = caches.limiter({ name: 'everybody', limit: 1_000, per: '1s' })
  app.use(
    '/api/*',
    rateLimit<App>({
      limits: [
        { limiter: perUser, key: (c) => c.get('userId') },
        { limiter: everybody, key: () => 'everybody' },
      ],
      refundIf: (status) => status >= 500,
    }),
  )

  app.get('/api/hello', (c) => c.json({ hello: 'world', left: c.get('rateLimit')?.remaining }))
  return app
}
