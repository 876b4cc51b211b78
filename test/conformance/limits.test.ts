/** Both providers of limits do what every one must. */

import { rateLimitCases, runCases } from '@larder/core/testing'
import { localLimits } from '@larder/local-store'
import { redisLimits } from '@larder/redis-store'
import { describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'

describe('redisLimits', () => {
  const make = () => redisLimits({ url: inject('redisUrl') })
  runCases(
    rateLimitCases(() => ({ limits: [make(), make()], namespace: freshNamespace() })),
    { test },
  )
})

describe('localLimits', () => {
  runCases(
    rateLimitCases(() => {
      const limits = localLimits()
      return { limits: [limits, limits], namespace: freshNamespace() }
    }),
    { test },
  )
})
