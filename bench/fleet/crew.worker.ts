/** A process that holds a part of the fleet's nodes, and does with them what it is told; see crew.ts. */

import { connect, type Socket } from 'node:net'
import type { Order, Told } from './crew.ts'
import { type FleetNode, SCHEMES } from './schemes.ts'

/** So many connect at once: a thousand at the same moment would time out on one machine. */
const STARTED_AT_ONCE = 20
const TICK_MS = 2
/** Evicted keys are drawn from so many: all partitions have some. */
const KEYS = 100_000
const PROBED_EVERY_MS = 100

let nodes: FleetNode[] = []
const listeners: Socket[] = []

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  try {
    process.send?.({ id, told: await obey(order) })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? '') : String(error) })
  }
})

async function obey(order: Order): Promise<Told> {
  switch (order.kind) {
    case 'start':
      return start(order)
    case 'listen':
      return listen(order)
    case 'evict':
      return evictInTurn(order.times)
    case 'load':
      return load(order)
    case 'close':
      await Promise.all(nodes.map((node) => node.close()))
      for (const socket of listeners) socket.destroy()
      nodes = []
      return {}
  }
}

async function start({ scheme, servers, count }: Order & { kind: 'start' }): Promise<Told> {
  const added = Array.from({ length: count }, () => SCHEMES[scheme](servers))
  nodes = [...nodes, ...added]
  for (let from = 0; from < count; from += STARTED_AT_ONCE)
    await Promise.all(added.slice(from, from + STARTED_AT_ONCE).map((node) => node.start()))
  return {}
}

/** Subscribers that read and forget: for Redis like nodes, and cheap for this machine. */
async function listen({ url, channel, count }: Order & { kind: 'listen' }): Promise<Told> {
  const { hostname, port } = new URL(url)
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), hostname)
    socket.write(`*2\r\n$9\r\nSUBSCRIBE\r\n$${Buffer.byteLength(channel)}\r\n${channel}\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.on('error', () => undefined).resume()
    listeners.push(socket)
  }
  return {}
}

/** One after the other, each by another node. */
async function evictInTurn(times: number): Promise<Told> {
  for (let i = 0; i < times; i++) await nodeAt(i).evict(`k${Math.floor(Math.random() * KEYS)}`)
  return { evictions: times }
}

/** So many a second, by all nodes in turn, whatever the answers take; and meanwhile looks for old values. */
async function load({ perSecond, lastsMs }: Order & { kind: 'load' }): Promise<Told> {
  const begun = performance.now()
  const pending = new Set<Promise<unknown>>()
  const probe = probeStaleness(begun + lastsMs)
  let evictions = 0
  for (let now = begun; now < begun + lastsMs; now = performance.now()) {
    // A server that is not fast enough is not asked for ever more.
    while (evictions < ((now - begun) * perSecond) / 1_000 && pending.size < perSecond / 2) {
      const evicting: Promise<unknown> = nodeAt(evictions)
        .evict(`k${Math.floor(Math.random() * KEYS)}`)
        .finally(() => pending.delete(evicting))
      pending.add(evicting)
      evictions += 1
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(pending)
  return { evictions, tookMs: performance.now() - begun, oldestMs: await probe }
}

/** Returns for how long, at most, another node of this process served a value after its eviction had returned, ms. */
async function probeStaleness(until: number): Promise<number> {
  let source = 0
  let oldestMs = 0
  while (performance.now() < until) {
    const key = `probe:${process.pid}`
    const readers = nodes.slice(1, 6)
    for (const node of readers) await node.read(key, () => source)
    source += 1
    await nodeAt(0).evict(key)
    const evictedAt = performance.now()
    for (let isOld = true; isOld && performance.now() < until; ) {
      const readAt = performance.now()
      const values = await Promise.all(readers.map((node) => node.read(key, () => source)))
      isOld = values.some((value) => value !== source)
      if (isOld) oldestMs = Math.max(oldestMs, readAt - evictedAt)
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
    await new Promise((resolve) => setTimeout(resolve, PROBED_EVERY_MS))
  }
  return oldestMs
}

function nodeAt(index: number): FleetNode {
  const node = nodes[index % nodes.length]
  if (node === undefined) throw new Error('This process holds no nodes')
  return node
}
