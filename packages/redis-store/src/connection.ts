/**
 * One connection of our own, with our settings.
 *
 * ioredis by default queues commands while it is disconnected, retries each twenty times and resends what was unanswered:
 * a call could hang for half a minute, or run twice. Here nothing is queued or resent: a call fails at once when Redis is
 * away, and the engine decides what that means. Reconnecting goes on for ever, with jitter.
 */

import type { Target } from './options.ts'
import type { RedisClient } from './redis-client.ts'

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1_000
const CONNECT_TIMEOUT_MS = 2_000

const retryStrategy = (attempt: number): number => {
  const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 6))
  return ms * (0.5 + Math.random() / 2)
}

const NODE_SETTINGS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAlive: 5_000,
  retryStrategy,
  // After a failover the old master answers READONLY: reconnect, to be led to the new one.
  reconnectOnError: (error: Error): boolean => error.message.startsWith('READONLY'),
}

const CLUSTER_SETTINGS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  clusterRetryStrategy: retryStrategy,
  slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
  retryDelayOnClusterDown: 50,
  retryDelayOnFailover: 50,
  maxRedirections: 8,
}

export interface ConnectionListener {
  onReady(): void
  onClose(): void
  /** The cluster's nodes changed. */
  onTopology(): void
}

export class Connection {
  readonly #client: RedisClient
  readonly #subscriptions: (readonly [event: string, listener: () => void])[] = []
  #wasReady = false
  #attempted: Promise<void> | undefined

  private constructor(client: RedisClient) {
    this.#client = client
  }

  /** Makes a connection to the target; `role` tells a subscriber from a connection for commands. */
  static async to(target: Target, listener: ConnectionListener): Promise<Connection> {
    const connection = new Connection(await createClient(target))
    connection.#listen(listener)
    return connection
  }

  get client(): RedisClient {
    return this.#client
  }

  get isReady(): boolean {
    return this.#client.status === 'ready'
  }

  /** False once a first attempt has failed or a connection was lost; undefined while the first attempt runs. */
  get ready(): boolean | undefined {
    if (this.isReady) return true
    return this.#attempted === undefined || !this.#hasAttempted ? undefined : false
  }

  #hasAttempted = false

  /** Connects in the background and resolves when the first attempt has ended, well or badly. */
  connect(): Promise<void> {
    this.#attempted ??= new Promise<void>((resolve) => {
      const end = (): void => {
        this.#hasAttempted = true
        resolve()
      }
      this.#on('ready', end)
      this.#on('error', end)
      this.#on('close', end)
      this.#client.connect().catch(end)
    })
    return this.#attempted
  }

  /** Closes for good. Listeners stay until the client has let go of its sockets: it may still report errors. */
  close(): void {
    for (const [event, listener] of this.#subscriptions) this.#client.off(event, listener)
    this.#client.on('error', () => undefined)
    this.#client.disconnect()
  }

  #listen(listener: ConnectionListener): void {
    // Without a listener, ioredis prints, and Node would crash on an unhandled error event.
    this.#on('error', () => undefined)
    this.#on('ready', () => {
      this.#wasReady = true
      listener.onReady()
    })
    this.#on('close', () => {
      if (this.#wasReady) listener.onClose()
    })
    for (const event of ['+node', '-node', '+subscriber'])
      this.#on(event, () => listener.onTopology())
  }

  #on(event: string, listener: () => void): void {
    this.#client.on(event, listener)
    this.#subscriptions.push([event, listener])
  }
}

async function createClient(target: Target): Promise<RedisClient> {
  if (target.kind === 'client') return duplicate(target.client)
  const { Cluster, Redis } = await import('ioredis')
  // ioredis' own types are wider than the part we use; the structural type is checked against them by a test.
  if (target.kind === 'cluster') {
    const settings = {
      ...CLUSTER_SETTINGS,
      redisOptions: { ...target.options, ...clusterNodeSettings() },
    }
    return new Cluster(target.nodes as never, settings as never) as unknown as RedisClient
  }
  const settings = { ...target.options, ...NODE_SETTINGS } as never
  const client = target.kind === 'url' ? new Redis(target.url, settings) : new Redis(settings)
  return client as unknown as RedisClient
}

function duplicate(client: RedisClient): RedisClient {
  const copy =
    client.isCluster === true
      ? client.duplicate([], {
          ...CLUSTER_SETTINGS,
          redisOptions: { ...redisOptionsOf(client), ...clusterNodeSettings() },
        })
      : client.duplicate(NODE_SETTINGS)
  return copy as RedisClient
}

function redisOptionsOf(client: RedisClient): object {
  return (client as { options?: { redisOptions?: object } }).options?.redisOptions ?? {}
}

/** In a Cluster, ioredis manages retries and lazy connecting of the nodes itself. */
function clusterNodeSettings(): object {
  const { connectTimeout, keepAlive, autoResendUnfulfilledCommands, maxRetriesPerRequest } =
    NODE_SETTINGS
  return { connectTimeout, keepAlive, autoResendUnfulfilledCommands, maxRetriesPerRequest }
}
