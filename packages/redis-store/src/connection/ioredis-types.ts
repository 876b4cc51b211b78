/** What a user hands over of ioredis, in its own types: those of the ioredis that is installed, 5 or 6. */

import type { RedisOptions } from 'ioredis'

/** What the store sets itself, whatever is given: keys, deadlines, retries, queues, the form of replies. */
type OwnSettings =
  | 'keyPrefix'
  | 'autoPipeliningIgnoredCommands'
  | 'autoResendUnfulfilledCommands'
  | 'autoResubscribe'
  | 'blockingTimeout'
  | 'blockingTimeoutGrace'
  | 'commandQueue'
  | 'commandTimeout'
  | 'connectTimeout'
  | 'disconnectTimeout'
  | 'enableAutoPipelining'
  | 'enableOfflineQueue'
  | 'enableReadyCheck'
  | 'failoverDetector'
  | 'himportFieldsets'
  | 'keepAlive'
  | 'lazyConnect'
  | 'maxLoadingRetryTime'
  | 'maxRetriesPerRequest'
  | 'monitor'
  | 'noDelay'
  | 'offlineQueue'
  | 'readOnly'
  | 'reconnectOnError'
  | 'replyMapping'
  | 'retryStrategy'
  | 'role'
  | 'scripts'
  | 'sentinelRetryStrategy'
  | 'socketTimeout'
  | 'stringNumbers'

/** Options of ioredis that count: where Redis is, who calls, and how the connection is protected. */
export interface ConnectionOptions extends Omit<RedisOptions, OwnSettings | 'Connector'> {
  /** A connector of one's own. Not held to its class, for the same reason as clients. */
  readonly Connector?: (new (...args: never[]) => unknown) | undefined
}

/**
 * A client of ioredis: `Redis` or `Cluster`.
 *
 * Said by its methods: the classes have private fields, so a client of another copy of ioredis (a queue's own, say) would be
 * refused by the compiler though it works.
 */
export interface IoredisClient {
  readonly status: string
  readonly options: object
  duplicate(...overrides: never[]): unknown
  connect(): Promise<unknown>
  disconnect(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}
