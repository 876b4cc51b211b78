import type { RedisServer } from './redis-server.ts'

/** The number of slots of any Redis Cluster. */
export const SLOT_COUNT = 16_384

/** What one node believes about its cluster; nodes it believes dead are left out. */
export interface ClusterView {
  /** Whether the node that was asked is a master itself. */
  readonly isOwnMaster: boolean
  readonly masters: readonly ClusterMaster[]
  readonly replicas: readonly { readonly port: number; readonly masterPort: number | undefined }[]
}

/** A master as another node sees it. */
export interface ClusterMaster {
  readonly port: number
  readonly ownsAny: boolean
  readonly owns: (slot: number) => boolean
}

interface Line {
  readonly id: string
  readonly port: number
  readonly flags: readonly string[]
  readonly masterId: string
  readonly ranges: readonly (readonly [number, number])[]
}

/** Asks a node for its view of the cluster. */
export async function readView(node: RedisServer): Promise<ClusterView> {
  const lines = parse(String(await node.command('CLUSTER', 'NODES')))
  // A dead master keeps its flag and is listed with its slots until somebody takes them: 'fail' alone doesn't hide it.
  const known = lines.filter(
    ({ flags }) => !flags.includes('handshake') && !flags.includes('noaddr'),
  )
  return {
    isOwnMaster: known.some(({ flags }) => flags.includes('myself') && flags.includes('master')),
    masters: known
      .filter(({ flags }) => flags.includes('master'))
      .sort((a, b) => (a.ranges[0]?.[0] ?? SLOT_COUNT) - (b.ranges[0]?.[0] ?? SLOT_COUNT))
      .map(({ port, ranges }) => ({
        port,
        ownsAny: ranges.length > 0,
        owns: (slot) => ranges.some(([first, last]) => first <= slot && slot <= last),
      })),
    replicas: known
      .filter(({ flags }) => flags.includes('slave'))
      .map(({ port, masterId }) => ({
        port,
        masterPort: known.find(({ id }) => id === masterId)?.port,
      })),
  }
}

/** The slots of the n-th of `count` masters, spread evenly. */
export function slotSpread(index: number, count: number): number[] {
  const first = Math.floor((index * SLOT_COUNT) / count)
  const end = Math.floor(((index + 1) * SLOT_COUNT) / count)
  return Array.from({ length: end - first }, (_, offset) => first + offset)
}

/** `<id> <ip:port@busport[,host]> <flags> <master id> <ping> <pong> <epoch> <link> <slot>…` per line. */
function parse(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [id = '', address = '', flags = '', masterId = '', , , , , ...slots] = line
        .trim()
        .split(' ')
      return {
        id,
        port: Number(/:(\d+)@/.exec(address)?.[1]),
        flags: flags.split(','),
        masterId,
        // Slots on the move are listed in brackets and still belong to whom they belong.
        ranges: slots.filter((slot) => !slot.startsWith('[')).map(parseRange),
      }
    })
}

function parseRange(text: string): readonly [number, number] {
  const [first = '', last = first] = text.split('-')
  return [Number(first), Number(last)]
}
