/** What those who read one thing or another need of an inspection. */

import type { RedisClient } from '../connection/redis-client.ts'
import type { InspectedServer } from './server.ts'

export interface Inspected {
  /** Commands go to the server that has the key. */
  readonly client: RedisClient
  /** The number of the database. */
  readonly database: number
  /** The servers behind the connection: one, or those of a Cluster. */
  servers(which?: 'masters' | 'all'): readonly InspectedServer[]
}
