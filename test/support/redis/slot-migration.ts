import type { RedisServer } from './redis-server.ts'

/** Between which nodes a slot moves. */
export interface SlotMove {
  readonly slot: number
  readonly from: RedisServer
  readonly to: RedisServer
  /** The other masters, which are told at the end. */
  readonly bystanders: readonly RedisServer[]
}

/** A slot on its way from one master to another, in the order the Cluster specification asks for. */
export class SlotMigration {
  readonly #move: SlotMove

  private constructor(move: SlotMove) {
    this.#move = move
  }

  /** Opens the migration: keys that are not at the source any more are answered with ASK. */
  static async begin(move: SlotMove): Promise<SlotMigration> {
    const { slot, from, to } = move
    const [fromId, toId] = await Promise.all([
      from.command('CLUSTER', 'MYID'),
      to.command('CLUSTER', 'MYID'),
    ])
    // The destination first: the source redirects to it from the next step on.
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId))
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId))
    return new SlotMigration(move)
  }

  /** Moves keys, all of them or `atMost` so many; resolves to how many were moved. */
  async moveKeys(atMost = Number.POSITIVE_INFINITY): Promise<number> {
    const { slot, from, to } = this.#move
    let moved = 0
    while (moved < atMost) {
      const keys = (await from.command(
        'CLUSTER',
        'GETKEYSINSLOT',
        slot,
        Math.min(100, atMost - moved),
      )) as string[]
      if (keys.length === 0) break
      await from.command('MIGRATE', to.host, to.port, '', 0, 5000, 'REPLACE', 'KEYS', ...keys)
      moved += keys.length
    }
    return moved
  }

  /** Gives the slot to its new owner; every key must have been moved. */
  async finish(): Promise<void> {
    const { slot, from, to, bystanders } = this.#move
    const owner = String(await to.command('CLUSTER', 'MYID'))
    for (const node of [to, from, ...bystanders])
      await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', owner)
  }
}
