/** A small site on Express: pages for everybody from the cache, and users with sessions. */

import type { CacheManager } from '@larder/core'
import express, { type Express } from 'express'
import { makePages } from './pages.ts'
import { makeUsers } from './users.ts'

export function makeApp(caches: CacheManager, secret: string): Express {
  const app = express()
  // Pages stand in front of sessions: what everybody is given knows nothing of who asks.
  app.use(makePages(caches))
  app.use(makeUsers(caches, secret))
  return app
}
