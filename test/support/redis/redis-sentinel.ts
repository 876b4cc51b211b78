import { eventually } from '../eventually.ts'
import { assertServersMeet } from './redis-process.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { assertFollows, roleOf } from './replication.ts'

/** How {@link startSentinel} lays a group out. */
export interface RedisSentinelOptions {
  /** 1 to 3, default 1: the quickest to start; a failover is decided by the majority. */
  readonly sentinels?: number
  /** Default 1. */
  readonly replicas?: number
  /** Further options of the master and its replicas. */
  readonly args?: readonly string[]
}

/** How the master is lost: asked to hand over, or killed. */
export type SentinelFailover = 'request' | 'crash'

/** The name the sentinels know their master by. */
export const MASTER_NAME = 'larder'

/**
 * Starts a master, its replicas and sentinels with short timeouts, and waits until a failover could succeed.
 *
 * @throws RangeError when `sentinels` is not 1, 2 or 3
 * @example await using group = await startSentinel();
 *   const client = new Redis({ sentinels: group.sentinelAddresses, name: group.name });
 */
export async function startSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const { sentinels = 1, replicas = 1, args = [] } = options
  if (![1, 2, 3].includes(sentinels))
    throw new RangeError(`sentinels must be 1, 2 or 3, got ${sentinels}`)
  await assertServersMeet('Redis Sentinel')
  const started: RedisServer[] = []
  const start = async (own: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(own)
    started.push(server)
    return server
  }
  try {
    const master = await start({ args: ['--repl-diskless-sync-delay', '0', ...args] })
    const copies = await allOf(replicas, () => start({ args: replicaArgs(master, args) }))
    await Promise.all(copies.map(assertFollows))
    const watchers = await allOf(sentinels, () =>
      start(sentinelOptions(master, Math.floor(sentinels / 2) + 1)),
    )
    await Promise.all(watchers.map(hasten))
    const group = new RedisSentinel([master, ...copies], watchers)
    await group.settle()
    return group
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()))
    throw error
  }
}

/** A running group; `servers` lists the first master before its replicas. */
export class RedisSentinel implements AsyncDisposable {
  readonly name: string = MASTER_NAME
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]

  /** Use {@link startSentinel}. */
  constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  /** What the `sentinels` option of ioredis takes. */
  get sentinelAddresses(): { readonly host: string; readonly port: number }[] {
    return this.sentinels.map(({ host, port }) => ({ host, port }))
  }

  /** The server that the sentinels name as master now. */
  async master(): Promise<RedisServer> {
    const [sentinel] = this.sentinels.filter((candidate) => candidate.isResponsive)
    if (sentinel === undefined) throw new Error('No sentinel is running')
    return this.#masterOf(sentinel)
  }

  /**
   * Changes the master and resolves to the new one, once all sentinels name it and it has taken the role; about three seconds.
   * A crash loses what the replica had not received; the old master comes back as a replica when it is restarted.
   */
  async failover(how: SentinelFailover = 'request'): Promise<RedisServer> {
    const old = await this.master()
    if (how === 'crash') await old.kill()
    else await this.#request()
    return eventually(
      'all sentinels name a new master',
      async () => {
        const named = await Promise.all(
          this.sentinels.filter(({ isResponsive }) => isResponsive).map((s) => this.#masterOf(s)),
        )
        const [master] = named
        const isAgreed =
          master !== undefined && master !== old && named.every((other) => other === master)
        return isAgreed && (await roleOf(master)) === 'master' ? master : undefined
      },
      30_000,
    )
  }

  /** Waits until every sentinel knows all replicas and all other sentinels. */
  async settle(): Promise<void> {
    await eventually(
      'every sentinel knows the whole group',
      async () => {
        const states = await Promise.all(
          this.sentinels.map((sentinel) => sentinel.command('SENTINEL', 'MASTER', this.name)),
        )
        return states.every((state) => {
          const fields = state as string[]
          const field = (name: string): number => Number(fields[fields.indexOf(name) + 1])
          return (
            field('num-slaves') >= this.servers.length - 1 &&
            field('num-other-sentinels') === this.sentinels.length - 1
          )
        })
      },
      30_000,
    )
  }

  async stop(): Promise<void> {
    // Sentinels first, so that none starts a failover of what is being stopped.
    await Promise.all(this.sentinels.map((sentinel) => sentinel.stop()))
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Refused with NOGOODSLAVE until the sentinel has heard enough from a replica. */
  async #request(): Promise<void> {
    const [sentinel] = this.sentinels.filter(({ isResponsive }) => isResponsive)
    await eventually(
      'a sentinel accepts the failover',
      () => sentinel?.command('SENTINEL', 'FAILOVER', this.name),
      20_000,
    )
  }

  async #masterOf(sentinel: RedisServer): Promise<RedisServer> {
    const address = (await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)) as [
      string,
      string,
    ]
    const master = this.servers.find(({ port }) => port === Number(address[1]))
    if (master === undefined)
      throw new Error(`The sentinel names a master that isn't ours: port ${address[1]}`)
    return master
  }
}

function replicaArgs(master: RedisServer, args: readonly string[]): string[] {
  return [
    '--replicaof',
    master.host,
    String(master.port),
    '--repl-diskless-sync-delay',
    '0',
    ...args,
  ]
}

function sentinelOptions(master: RedisServer, quorum: number): { config: string; args: string[] } {
  const watch = `${MASTER_NAME} ${master.host} ${master.port} ${quorum}`
  return {
    args: ['--sentinel'],
    config: [
      `sentinel monitor ${watch}`,
      // Long enough for a busy machine, short enough for a test.
      `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
      `sentinel parallel-syncs ${MASTER_NAME} 1`,
      '',
    ].join('\n'),
  }
}

/**
 * Sentinels greet each other every 2 s and leave a demoted master in its old role for four greetings.
 * Redis 7 lets that be shortened; with older ones and Valkey tests are slower, nothing else.
 */
async function hasten(sentinel: RedisServer): Promise<void> {
  const greetings = ['PUBLISH-PERIOD', 300, 'INFO-PERIOD', 500, 'ASK-PERIOD', 300]
  // Half a minute of idling after the machine was busy, and a quarter to find a server that came back.
  const recoveries = ['TILT-PERIOD', 1000, 'MIN-LINK-RECONNECT-PERIOD', 500]
  await sentinel.command('SENTINEL', 'DEBUG', ...greetings, ...recoveries).catch(() => {})
}

/** Waits for all even when one fails, so that the caller knows everything that was started. */
async function allOf(count: number, make: () => Promise<RedisServer>): Promise<RedisServer[]> {
  const results = await Promise.allSettled(Array.from({ length: count }, make))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
