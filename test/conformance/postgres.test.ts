/** The example of a store on another database does what every remote store must. */

import { randomUUID } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { engineCases, remoteStoreCases, runCases } from '@larder/core/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { postgresStore } from '../../examples/custom-store/postgres-store.ts'

let postgres: PGlite
beforeAll(async () => {
  postgres = await PGlite.create()
})
afterAll(() => postgres.close())

describe('the PostgreSQL store of the examples', () => {
  const makeStores = () => ({
    stores: [postgresStore(postgres), postgresStore(postgres)] as const,
    namespace: randomUUID(),
  })
  runCases(remoteStoreCases(makeStores), { test })
  runCases(engineCases(makeStores), { test })
})
