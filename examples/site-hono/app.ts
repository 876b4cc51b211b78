/** A small site on Hono: a page for everybody from the cache, and users with sessions. */

import type { CacheManager } from '@larder/core'
import { Hono } from 'hono'
import { makePages } from './pages.ts'
import { makeUsers } from './users.ts'

export function makeApp(caches: CacheManager, secret: string): Hono {
  const app = new Hono()
  // Pages stand in front of sessions: what everybody is given knows nothing of who asks.
  app.route('/', makePages(caches))
  app.route('/', makeUsers(caches, secret))
  return app
}
