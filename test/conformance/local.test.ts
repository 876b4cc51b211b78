/** The local stores do what every local store must. */

import { faultyLocalStore, localStoreCases, runCases } from '@larder/core/testing'
import { adaptiveStore, lruStore } from '@larder/local-store'
import { describe, test } from 'vitest'

describe.each(Object.entries({ lruStore, adaptiveStore }))('%s', (_, makeStore) => {
  describe('as it is', () => {
    runCases(localStoreCases(makeStore), { test })
  })

  describe('behind fault switches that are off', () => {
    runCases(
      localStoreCases((bounds) => faultyLocalStore(makeStore(bounds))),
      { test },
    )
  })
})
