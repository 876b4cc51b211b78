/** Which node of a Cluster serves what, as the Cluster client knows it. */

import { duplicateClient } from './create-client.ts'
import type { ClusterClient, RedisClient } from './redis-client.ts'
import { within } from './within.ts'

const SLOTS = 16_384
const CRC_POLYNOMIAL = 0x1021
const CONNECT_ALL_MS = 1_000

/** The few hash tags: one per partition, and that of the tag clock. */
const slots = new Map<string, number>()
const MOST_REMEMBERED = 10_000

/** The slot of every key with this hash tag (CRC16-XMODEM of what is between the braces). */
export function slotOf(hashTag: string): number {
  const known = slots.get(hashTag)
  if (known !== undefined) return known
  let crc = 0
  for (const byte of Buffer.from(hashTag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ CRC_POLYNOMIAL) & 0xffff : crc << 1
    }
  }
  if (slots.size < MOST_REMEMBERED) slots.set(hashTag, crc % SLOTS)
  return crc % SLOTS
}

/** Returns the master that serves a hash tag; `undefined` where none is known that can be asked now. */
export function masterFinder(cluster: ClusterClient): (hashTag: string) => RedisClient | undefined {
  const masters = new Map(cluster.nodes('master').map((node) => [addressOf(node), node]))
  return (hashTag) => {
    const address = cluster.slots[slotOf(hashTag)]?.[0]
    const master = address === undefined ? undefined : masters.get(address)
    return master?.status === 'ready' ? master : undefined
  }
}

/**
 * Calls back whenever a node comes or goes, and connects to masters that come.
 *
 * ioredis connects to a node at the first command for it, and refuses the commands that follow until it stands.
 */
export function followNodes(
  cluster: ClusterClient,
  onChange: (change: { readonly gone: string | undefined }) => void,
): void {
  cluster.on('+node', (node: RedisClient) => {
    // Before that the Cluster client looks for a node to ask, and takes none that is just connecting.
    if (cluster.status === 'ready') void connectTo(node)
    onChange({ gone: undefined })
  })
  cluster.on('-node', (node: RedisClient) => onChange({ gone: addressOf(node) }))
}

/** Connects to the masters, or at least to those that answer within a second. */
export async function connectToMasters(cluster: ClusterClient): Promise<void> {
  const connected = Promise.all(cluster.nodes('master').map(connectTo))
  await within(CONNECT_ALL_MS, connected).catch(() => undefined)
}

async function connectTo(node: RedisClient): Promise<void> {
  if (node.status !== 'wait' || node.options?.readOnly === true) return
  await node.connect().catch(() => undefined)
}

/**
 * Makes a client of one node for a subscription: PUBLISH reaches every node of a Cluster.
 *
 * The Cluster client's own subscriber would do, but says neither when its connection broke nor when it stands again.
 */
export function subscriberOf(cluster: ClusterClient): RedisClient {
  const nodes = cluster.nodes('all')
  const ready = nodes.filter((node) => node.status === 'ready')
  const candidates = ready.length > 0 ? ready : nodes
  const node = candidates[Math.floor(Math.random() * candidates.length)]
  if (node === undefined) throw new Error('No node of the Cluster is known')
  return duplicateClient(node)
}

export function addressOf({ options }: RedisClient): string {
  return `${options?.host ?? '127.0.0.1'}:${options?.port ?? 6379}`
}

/** The server at the other end of a client's connection; `undefined` where it does not say, as with a socket file. */
export function peerOf({ stream }: RedisClient): string | undefined {
  const { remoteAddress, remotePort } = stream ?? {}
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`
}
