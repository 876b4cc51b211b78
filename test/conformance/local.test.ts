/** The local store on lru-cache does what every local store must. */

import { faultyLocalStore, localStoreCases, runCases } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, test } from 'vitest'

describe('lruStore', () => {
  runCases(localStoreCases(lruStore), { test })
})

describe('lruStore behind fault switches that are off', () => {
  runCases(
    localStoreCases((bounds) => faultyLocalStore(lruStore(bounds))),
    { test },
  )
})
