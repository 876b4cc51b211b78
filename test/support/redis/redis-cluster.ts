import { eventually } from '../eventually.ts'
import { type ClusterView, readView, SLOT_COUNT, slotSpread } from './cluster-view.ts'
import { assertServersMeet } from './redis-process.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { assertFollows } from './replication.ts'
import { SlotMigration } from './slot-migration.ts'

/** How {@link startCluster} lays a cluster out. */
export interface RedisClusterOptions {
  /** Default 3, the fewest that Redis calls a cluster. */
  readonly masters?: number
  /** Default 0. */
  readonly replicasPerMaster?: number
  /** Further options of every redis-server. */
  readonly args?: readonly string[]
}

/**
 * How a replica takes its master's place: a handover loses nothing and needs a living master; a takeover asks nobody,
 * as after a master's death, and loses what the replica had not received.
 */
export type ClusterFailover = 'handover' | 'takeover'

/**
 * Starts a Redis Cluster of the test's own and waits until every node can serve; about three seconds, so share it in a file.
 *
 * @example await using cluster = await startCluster({ replicasPerMaster: 1 });
 *   const client = new Cluster(cluster.startupNodes);
 */
export async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  await assertServersMeet('A Redis Cluster')
  const { masters = 3, replicasPerMaster = 0, args = [] } = options
  const count = masters * (1 + replicasPerMaster)
  const started = await Promise.allSettled(Array.from({ length: count }, () => startNode(args)))
  const nodes = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []))
  const cluster = new RedisCluster(nodes)
  try {
    for (const node of started) if (node.status === 'rejected') throw node.reason
    await join(nodes, masters)
    await cluster.settle()
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** A running cluster; `nodes` lists the first masters before their replicas. */
export class RedisCluster implements AsyncDisposable {
  readonly nodes: readonly RedisServer[]

  /** Use {@link startCluster}. */
  constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  /** What `new Cluster(…)` of ioredis takes. */
  get startupNodes(): { readonly host: string; readonly port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }))
  }

  /** The nodes that are masters now, in the order of their slots. */
  async masters(): Promise<RedisServer[]> {
    const view = await this.#view()
    return view.masters.filter(({ ownsAny }) => ownsAny).map(({ port }) => this.#nodeAt(port))
  }

  /** The node that serves a slot now. */
  async masterOf(slot: number): Promise<RedisServer> {
    const view = await this.#view()
    const owner = view.masters.find(({ owns }) => owns(slot))
    if (owner === undefined) throw new Error(`No master owns slot ${slot}`)
    return this.#nodeAt(owner.port)
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#alive()[0]?.command('CLUSTER', 'KEYSLOT', key))
  }

  /**
   * Puts a replica in a master's place and waits until all living nodes agree; resolves to the new master.
   *
   * @throws Error when the master has no replica
   */
  async failover(master: RedisServer, how: ClusterFailover = 'handover'): Promise<RedisServer> {
    const replica = await this.#replicaOf(master)
    const force = how === 'takeover' ? ['TAKEOVER'] : []
    await replica.command('CLUSTER', 'FAILOVER', ...force)
    await eventually(
      `the replica on port ${replica.port} is master for everybody`,
      () =>
        everyView(
          this.#alive(),
          (view) => isServing(view, replica.port) && !isServing(view, master.port),
        ),
      20_000,
    )
    await this.settle()
    return replica
  }

  /** Moves a slot with all its keys. */
  async migrateSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const migration = await this.beginMigration(slot, from, to)
    await migration.moveKeys()
    await migration.finish()
  }

  /** Opens a migration and leaves it open, for tests of what happens meanwhile (ASK, TRYAGAIN). */
  async beginMigration(slot: number, from: RedisServer, to: RedisServer): Promise<SlotMigration> {
    const masters = await this.masters()
    return SlotMigration.begin({
      slot,
      from,
      to,
      bystanders: masters.filter((node) => node.isResponsive && node !== from && node !== to),
    })
  }

  /** Waits until every living node says that the cluster is whole. */
  async settle(): Promise<void> {
    await eventually(
      'every node sees a whole cluster',
      async () => {
        const infos = await Promise.all(
          this.#alive().map((node) => node.command('CLUSTER', 'INFO')),
        )
        return infos.every(
          (info) =>
            /cluster_state:ok/.test(String(info)) &&
            String(info).includes(`cluster_slots_ok:${SLOT_COUNT}`),
        )
      },
      20_000,
    )
    await eventually('every node is linked to all others', () => this.#areLinked(), 20_000)
  }

  /** A message to a node that has no link yet to another one is not handed on to that. Servers before 7 do not tell. */
  async #areLinked(): Promise<boolean> {
    const alive = this.#alive()
    const links = await Promise.all(
      alive.map((node) => node.command('CLUSTER', 'LINKS').catch(() => undefined)),
    )
    return links.every((each) => {
      if (!Array.isArray(each)) return true
      return each.filter((link) => String(link).includes('direction,to')).length >= alive.length - 1
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #alive(): RedisServer[] {
    return this.nodes.filter((node) => node.isResponsive)
  }

  async #view(): Promise<ClusterView> {
    const views = await Promise.all(this.#alive().map(readView))
    // Masters learn of a change first, replicas hear of it by gossip.
    const view = views.find(({ isOwnMaster }) => isOwnMaster)
    if (view === undefined) throw new Error('No master of the cluster is running')
    return view
  }

  async #replicaOf(master: RedisServer): Promise<RedisServer> {
    const view = await this.#view()
    const replica = view.replicas.find(
      ({ masterPort, port }) => masterPort === master.port && this.#nodeAt(port).isResponsive,
    )
    if (replica === undefined)
      throw new Error(`The master on port ${master.port} has no running replica`)
    return this.#nodeAt(replica.port)
  }

  #nodeAt(port: number): RedisServer {
    const node = this.nodes.find((candidate) => candidate.port === port)
    if (node === undefined) throw new Error(`No node of this cluster listens on port ${port}`)
    return node
  }
}

async function everyView(
  nodes: readonly RedisServer[],
  holds: (view: ClusterView) => boolean,
): Promise<boolean> {
  return (await Promise.all(nodes.map(readView))).every(holds)
}

function isServing(view: ClusterView, port: number): boolean {
  return view.masters.some((master) => master.port === port && master.ownsAny)
}

function startNode(args: readonly string[]): Promise<RedisServer> {
  return startRedis({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      // Long enough for a busy machine not to declare a living node dead, short enough for tests of death.
      ...['--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'],
      ...args,
    ],
  })
}

async function join(nodes: readonly RedisServer[], masterCount: number): Promise<void> {
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]]
  const masters = nodes.slice(0, masterCount)
  await Promise.all(
    masters.map(async (master, index) => {
      // Distinct from the start, or nodes spend their first seconds on resolving a collision.
      await master.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      await master.command('CLUSTER', 'ADDSLOTS', ...slotSpread(index, masterCount))
    }),
  )
  await Promise.all(others.map((node) => node.command('CLUSTER', 'MEET', first.host, first.port)))
  await eventually('all nodes know each other', () =>
    everyView(nodes, (view) => view.masters.length + view.replicas.length === nodes.length),
  )
  await Promise.all(
    nodes
      .slice(masterCount)
      .map((node, index) => follow(node, masters[index % masterCount] as RedisServer)),
  )
  await eventually('all nodes know who is a replica', () =>
    everyView(nodes, ({ replicas }) => replicas.length === nodes.length - masterCount),
  )
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.command('CLUSTER', 'REPLICATE', String(await master.command('CLUSTER', 'MYID')))
  await assertFollows(replica)
}
