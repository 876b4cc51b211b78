import { describe, expect, it } from 'vitest'
import type { EntryAddress } from '../../contracts/remote-store.ts'
import { decodeHeader, encodeEntry, FLAG, FORMAT_VERSION } from '../../entry/envelope.ts'
import { BusRecorder } from '../conformance/bus-recorder.ts'
import { ManualClock } from '../manual-clock.ts'
import type { MemoryRemoteStore } from './memory-remote-store.ts'
import { MemoryServer, type MemoryServerOptions } from './memory-server.ts'
import type { Deliver, Delivery } from './node-link.ts'

const ADDRESS: EntryAddress = { partition: 1, key: 'c:k' }
const HARD = { soft: false, settleMs: 0 }
const LEASE = { token: 7, leaseMs: 1_000, seen: 0, overtake: 0 }

interface Scene {
  readonly clock: ManualClock
  readonly server: MemoryServer
  readonly a: MemoryRemoteStore
  readonly b: MemoryRemoteStore
}

function scene(options: MemoryServerOptions = {}): Scene {
  const clock = new ManualClock()
  const server = new MemoryServer({ clock, ...options })
  const [a, b] = [server.store(), server.store()]
  a.open('ns')
  b.open('ns')
  return { clock, server, a, b }
}

function entry(commit = 1): Buffer {
  const life = { freshForMs: 60_000, staleForMs: 60_000, livesForMs: 60_000 }
  const rest = { flags: 0, birth: 1, loadMs: 0, schema: 0, steps: [], tags: [] }
  return encodeEntry({ ...life, ...rest, commit, payload: Buffer.from('payload') })
}

async function put(store: MemoryRemoteStore, commit = 1, address = ADDRESS): Promise<number> {
  return (await store.put(address, { bytes: entry(commit), livesMs: 60_000, since: 0 })).seq
}

async function commitAt(store: MemoryRemoteStore, address = ADDRESS): Promise<number | undefined> {
  const [bytes] = await store.read([address])
  return bytes === undefined ? undefined : decodeHeader(bytes)?.commit
}

function turns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps deliveries back for the test to hand out. */
function queue(): { deliver: Deliver; waiting: { task: () => void; delivery: Delivery }[] } {
  const waiting: { task: () => void; delivery: Delivery }[] = []
  return { waiting, deliver: (task, delivery) => waiting.push({ task, delivery }) }
}

describe('MemoryServer: what it models beyond the contract', () => {
  it('follows the clock it was given', async () => {
    const { clock, server, a } = scene({ startsAt: 5_000 })
    expect(server.now()).toBe(5_000)
    clock.advance(250)
    expect((await a.sync([])).nowMs).toBe(5_250)
  })

  it('lets a loader fill after its deadline while nobody else has claimed', async () => {
    const { clock, a, b } = scene()
    await a.claim(ADDRESS, LEASE)
    clock.advance(1_900)
    expect((await a.fill(ADDRESS, 7, entry(), 60_000)).stored).toBe(true)
    await b.evict([ADDRESS], HARD)
    await a.claim(ADDRESS, LEASE)
    clock.advance(2_001)
    expect((await a.fill(ADDRESS, 7, entry(), 60_000)).stored).toBe(false)
  })

  it('takes bytes of another format for nothing', async () => {
    const { a } = scene()
    const newer = entry()
    newer[1] = FORMAT_VERSION + 1
    await a.put(ADDRESS, { bytes: newer, livesMs: 60_000, since: 0 })
    expect((await a.claim(ADDRESS, LEASE)).kind).toBe('granted')
    expect((await a.fill(ADDRESS, 7, entry(5), 60_000)).stored).toBe(true)
  })

  it('remembers across holders that somebody waits', async () => {
    const { clock, a, b } = scene()
    const recorder = new BusRecorder()
    b.bus.subscribe('ns', recorder)
    await a.claim(ADDRESS, LEASE)
    await b.claim(ADDRESS, { ...LEASE, token: 8 })
    clock.advance(1_500)
    await a.claim(ADDRESS, { ...LEASE, token: 9 })
    await a.fill(ADDRESS, 9, entry(), 60_000)
    await turns()
    expect(recorder.messages).toEqual([{ kind: 'wake', key: 'c:k' }])
  })

  it('keeps a settle window when a load in it is given up', async () => {
    const { a } = scene()
    await a.evict([ADDRESS], { soft: false, settleMs: 5_000 })
    await a.claim(ADDRESS, LEASE)
    await a.release(ADDRESS, 7)
    const [bytes] = await a.read([ADDRESS])
    expect(decodeHeader(bytes ?? Buffer.alloc(0))?.flags).toBe(FLAG.empty | FLAG.settling)
    await a.claim(ADDRESS, LEASE)
    expect((await a.fill(ADDRESS, 7, entry(), 60_000)).livesMs).toBe(5_000)
  })

  it('remembers 512 changes of a partition, and knows what it forgot', async () => {
    const { a } = scene()
    const start = await put(a)
    const seqs: number[] = []
    for (let i = 0; i < 513; i++) seqs.push(await put(a, i + 1))
    expect((await a.changesSince(1, start)).kind).toBe('unknown')
    const all = await a.changesSince(1, seqs[0] ?? 0)
    expect(all.kind === 'delta' && all.keys.length).toBe(512)
  })
})

describe('MemoryServer: losses', () => {
  it('begins anew, recognisably, after a flush, even while its clock stands still', async () => {
    const { server, a, b } = scene()
    const seq = await put(a)
    const { version } = await a.bumpTags(['t'], 0, 60_000)
    server.flush()
    expect(await commitAt(a)).toBeUndefined()
    expect((await b.changesSince(1, seq)).kind).toBe('unknown')
    const { tags } = await b.sync([])
    expect(tags?.floor).toBeGreaterThan(version)
  })

  it('goes on counting when its time is set back, and begins anew from the time it has then', async () => {
    const { server, a } = scene()
    const before = await put(a)
    server.shiftTime(-60_000)
    const after = await put(a)
    expect(after).toBeGreaterThan(before)
    server.flush()
    expect((await put(a)) / 1_000).toBeLessThan(before / 1_000 - 59_000)
  })

  it('drops any single thing', async () => {
    const { server, a } = scene()
    const seq = await put(a)
    await a.bumpTags(['t'], 0, 60_000)
    expect(server.keys()).toEqual([
      { namespace: 'ns', kind: 'entry', partition: 1, key: 'c:k' },
      { namespace: 'ns', kind: 'log', partition: 1 },
      { namespace: 'ns', kind: 'tags' },
    ])
    for (const key of server.keys()) expect(server.dropKey(key)).toBe(true)
    expect(server.keys()).toEqual([])
    expect(server.dropKey({ namespace: 'ns', kind: 'tags' })).toBe(false)
    expect((await a.changesSince(1, seq)).kind).toBe('unknown')
  })

  it('goes back to a snapshot, as often as one likes, while time goes on', async () => {
    const { server, clock, a } = scene()
    await put(a, 1)
    const before = server.snapshot()
    const { nowMs } = await a.sync([])
    const seq = await put(a, 2)
    await a.bumpTags(['t'], 0, 60_000)
    for (let i = 0; i < 2; i++) {
      clock.advance(10)
      server.restore(before)
      expect(await commitAt(a)).toBe(1)
      expect((await a.sync([1])).heads[0]).toBeLessThan(seq)
      expect((await a.tagsSince(0)).tags).toEqual([])
      await put(a, 3)
    }
    expect((await a.sync([])).nowMs).toBe(nowMs + 20)
  })

  it('goes back for a part of its keys only, as one shard of several does', async () => {
    const { server, a } = scene()
    const other = { partition: 2, key: 'c:other' }
    const before = server.snapshot()
    await put(a, 1)
    await put(a, 1, other)
    server.restore(before, (key) => 'partition' in key && key.partition === 2)
    expect(await commitAt(a)).toBe(1)
    expect(await commitAt(a, other)).toBeUndefined()
  })
})

describe('MemoryServer: noted heads', () => {
  it('answer syncs, and are made anew where they were lost', async () => {
    const { server, a } = scene({ notesHeads: true })
    await a.sync([1, 2])
    const seq = await put(a)
    expect(server.keys()).toContainEqual({ namespace: 'ns', kind: 'heads' })
    expect((await a.sync([1, 2])).heads[0]).toBe(seq)
    expect(server.dropKey({ namespace: 'ns', kind: 'heads' })).toBe(true)
    expect((await a.sync([1, 2])).heads[0]).toBe(seq)
    expect(server.dropKey({ namespace: 'ns', kind: 'heads' })).toBe(true)
    expect(server.dropKey({ namespace: 'ns', kind: 'heads' })).toBe(false)
  })

  it('outlive a log that was lost until it is its turn, or changes', async () => {
    const { server, a } = scene({ notesHeads: true })
    const seq = await put(a)
    server.dropKey({ namespace: 'ns', kind: 'log', partition: 1 })
    expect((await a.sync([2, 1])).heads[1]).toBe(seq)
    const turned = (await a.sync([2, 1])).heads[1] ?? 0
    expect(turned).toBeGreaterThan(seq)
    const next = await put(a)
    expect((await a.sync([2, 1])).heads[1]).toBe(next)
  })

  it('go back with everything else', async () => {
    const { server, a } = scene({ notesHeads: true })
    const seq = await put(a)
    const before = server.snapshot()
    await put(a)
    server.restore(before)
    for (let i = 0; i < 2; i++) expect((await a.sync([1, 2])).heads[0]).toBe(seq)
  })
})

describe('MemoryServer: connections', () => {
  it('fails calls, and reports it, while a node is disconnected', async () => {
    const { a, b } = scene()
    const recorder = new BusRecorder()
    a.bus.subscribe('ns', recorder)
    await turns()
    a.disconnect()
    expect([a.ready, recorder.downs]).toEqual([false, 1])
    await expect(a.sync([])).rejects.toThrow('Not connected')
    await put(b)
    a.reconnect()
    await turns()
    expect([a.ready, recorder.ups, recorder.messages.length]).toEqual([true, 2, 0])
    expect(await commitAt(a)).toBe(1)
  })

  it('loses requests under way, or carries them out although they failed, as asked', async () => {
    for (const inFlight of ['lost', 'arrives'] as const) {
      const { a, b } = scene()
      const putting = put(a)
      a.disconnect({ inFlight })
      await expect(putting).rejects.toThrow('connection was lost')
      await turns()
      expect(await commitAt(b)).toBe(inFlight === 'lost' ? undefined : 1)
    }
  })

  it('goes silent without a word: calls hang, messages are missing', async () => {
    const { a, b } = scene()
    const recorder = new BusRecorder()
    a.bus.subscribe('ns', recorder)
    await turns()
    a.disconnect({ silently: true })
    const outcome = a.sync([]).then(
      () => 'answered',
      () => 'failed',
    )
    await put(b)
    await turns()
    expect([a.ready, recorder.downs, recorder.messages.length]).toEqual([true, 0, 0])
    expect(await Promise.race([outcome, turns().then(() => 'hanging')])).toBe('hanging')
    a.reconnect()
    expect(await outcome).toBe('failed')
  })

  it('cuts one line only', async () => {
    const { a, b } = scene()
    const recorder = new BusRecorder()
    a.bus.subscribe('ns', recorder)
    await turns()
    a.disconnect({ only: 'commands' })
    await put(b)
    await turns()
    expect(recorder.messages.length).toBe(1)
    a.reconnect()
    expect([recorder.ups, recorder.doubts]).toEqual([1, 1])
    a.disconnect({ only: 'messages', silently: true })
    await put(a, 2)
    await turns()
    expect(recorder.messages.length).toBe(1)
  })

  it('lets everything wait while it hangs, and then take place in order', async () => {
    const { a, b } = scene()
    a.hang()
    const seqs = Promise.all([put(a, 1), put(a, 2)])
    await turns()
    expect(await commitAt(b)).toBeUndefined()
    a.resume()
    const [first, second] = await seqs
    expect(second).toBeGreaterThan(first)
    expect(await commitAt(b)).toBe(2)
  })

  it('rejects what is unanswered when the store is closed', async () => {
    const { a } = scene()
    const syncing = a.sync([])
    await a.close()
    await expect(syncing).rejects.toThrow('closed')
    await expect(a.sync([])).rejects.toThrow()
  })

  it('fails single operations', async () => {
    const { a } = scene()
    a.faults.loseReply({ on: 'put', times: 1 })
    await expect(put(a)).rejects.toThrow('lose its reply')
    expect(await commitAt(a)).toBe(1)
  })
})

describe('MemoryServer: deliveries in the hands of a test', () => {
  it('hands out requests, replies and messages, each saying what it is', async () => {
    const { deliver, waiting } = queue()
    const { a, b } = scene({ deliver })
    b.bus.subscribe('ns', new BusRecorder())
    waiting.shift()?.task()
    const putting = put(a)
    expect(waiting.map(({ delivery }) => delivery)).toEqual([
      { kind: 'request', node: 0, operation: 'put' },
    ])
    waiting.shift()?.task()
    expect(waiting.map(({ delivery }) => delivery.kind).sort()).toEqual(['message', 'reply'])
    for (const { task } of waiting) task()
    expect(await putting).toBeGreaterThan(0)
  })

  it('takes a request that is delivered twice for two, and answers once', async () => {
    const { deliver, waiting } = queue()
    const { a, server } = scene({ deliver })
    const bumping = a.bumpTags(['t'], 0, 60_000)
    const { task } = waiting.shift() ?? { task: () => undefined }
    task()
    task()
    for (const { task: reply } of waiting) reply()
    const { version } = await bumping
    const again = a.sync([])
    for (const { task: next } of waiting.splice(2)) next()
    for (const { task: next } of waiting.splice(2)) next()
    expect((await again).tags?.version).toBeGreaterThan(version)
    expect(server.keys()).toHaveLength(1)
  })

  it('delivers messages late, twice, or out of order, but not to a subscription that ended', async () => {
    const { deliver, waiting } = queue()
    const { a, b } = scene({ deliver })
    const recorder = new BusRecorder()
    b.bus.subscribe('ns', recorder)
    waiting.shift()?.task()
    void put(a, 1).catch(() => undefined)
    void put(a, 2).catch(() => undefined)
    for (const { task } of waiting.splice(0)) task()
    const messages = waiting.filter(({ delivery }) => delivery.kind === 'message')
    for (const { task } of [...messages.toReversed(), ...messages]) task()
    const seqs = recorder.messages.map((message) => (message.kind === 'keys' ? message.seq : 0))
    expect(seqs).toHaveLength(4)
    expect(seqs[0]).toBeGreaterThan(seqs[1] ?? 0)
    b.disconnect()
    messages[0]?.task()
    expect(recorder.messages).toHaveLength(4)
  })
})
