import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { BusMessage } from '../contracts/bus.ts'
import { StoreRefusedError } from '../errors/store-error.ts'
import { Emitter } from '../events/emitter.ts'
import type { CacheEventName, CacheEvents } from '../events/events.ts'
import { BackgroundWork } from '../lifecycle/background-work.ts'
import { RemoteTier } from '../remote/remote-tier.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { MemoryRemoteStore } from '../testing/memory/memory-remote-store.ts'
import { MemoryServer } from '../testing/memory/memory-server.ts'
import { Coherence } from './coherence.ts'
import { EvictionQueued } from './eviction-queued.ts'
import { PARTITIONS } from './partitions.ts'
import { RecoveryQueue } from './recovery-queue.ts'
import { softTag } from './soft-tags.ts'
import { EVERYTHING, partitionTag } from './tag-clock.ts'

const NAMESPACE = 'coherence'
const MAX_STALENESS_MS = 2_000
const TIMEOUT_MS = 500
const NEVER = Number.NEGATIVE_INFINITY
const ALWAYS = Number.POSITIVE_INFINITY
/** Sequence numbers and versions far from those the server mints, and in order. */
const LATER = Date.UTC(2040, 0, 1) * 1_000

let clock: ManualClock
let server: MemoryServer

beforeEach(() => {
  clock = new ManualClock()
  server = new MemoryServer({ clock })
})

const EVENTS = [
  'bus',
  'bus-gap',
  'coherence',
  'invalidate',
  'recovery-queue',
  'background-error',
] as const

interface Options {
  readonly queue?: RecoveryQueue
  readonly isAlone?: boolean
  readonly hears?: boolean
  /** Nothing is published by the store; the engine has to. */
  readonly publishes?: boolean
  /** The store numbers its changes. */
  readonly sequences?: boolean
  readonly longestLifeMs?: number
}

function startNode({
  queue,
  isAlone = false,
  hears = true,
  publishes = true,
  sequences = true,
  longestLifeMs = 60_000,
}: Options = {}) {
  const store = server.store()
  Object.defineProperty(store, 'capabilities', { value: { ...store.capabilities, sequences } })
  const events = new Emitter()
  const seen = Object.fromEntries(EVENTS.map((name) => [name, [] as unknown[]])) as {
    [Name in (typeof EVENTS)[number]]: CacheEvents[Name][]
  }
  if (hears) for (const name of EVENTS) listen(events, name, seen[name])
  const work = new BackgroundWork(events)
  const forgotten: [keys: readonly string[], seq: number, soft: boolean | undefined][] = []
  const settling: [keys: readonly string[], settleMs: number][] = []
  const woken: string[] = []
  const published: BusMessage[] = []
  if (!publishes) {
    Object.defineProperty(store, 'capabilities', {
      value: { ...store.capabilities, publishes: false },
    })
    Object.defineProperty(store.bus, 'publish', {
      value: async (message: BusMessage) => void published.push(message),
    })
  }
  const coherence = new Coherence(
    {
      namespace: NAMESPACE,
      remote: isAlone ? undefined : new RemoteTier(store, TIMEOUT_MS, clock, events),
      clock,
      events,
      work,
      targets: {
        forget: (keys, seq, soft) => forgotten.push([keys, seq, soft]),
        settle: (keys, settleMs) => settling.push([keys, settleMs]),
        wake: (key) => woken.push(key),
      },
      longestLifeMs: () => longestLifeMs,
    },
    queue,
  )
  coherence.requireStaleness(MAX_STALENESS_MS)
  onTestFinished(() => coherence.close())
  const receive = (message: BusMessage): void => server.publish(NAMESPACE, message)
  return { coherence, store, seen, forgotten, woken, published, receive, events }
}

function listen(events: Emitter, name: CacheEventName, into: unknown[]): void {
  events.on(name, (event) => into.push(event))
}

/** A node that has heard from the store. */
async function startKnowing(options?: Options) {
  const node = startNode(options)
  await node.coherence.start()
  await settle()
  node.store.faults.heal()
  for (const list of Object.values(node.seen)) list.length = 0
  return node
}

const settle = (): Promise<void> => clock.advanceAsync(0)

const at = (partition: number, key: string) => ({ partition, key })
const HARD = { soft: false, settleMs: 0 }

async function settled<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined)
  await settle()
  return work
}

function syncsOf(store: MemoryRemoteStore): number {
  return store.faults.calls('sync')
}

describe('alone in its process', () => {
  it('a node takes itself for right, without asking anybody', async () => {
    const { coherence, store, forgotten, seen } = startNode({ isAlone: true })
    await coherence.start()
    await coherence.prepareToJudge(1)
    await coherence.sync()
    expect([coherence.knowledge.isAlone, coherence.knowledge.canJudge(1)]).toEqual([true, true])
    expect([coherence.knowledge.confirmedAt, coherence.knowledge.verifiedAt(3)]).toEqual([
      ALWAYS,
      ALWAYS,
    ])
    expect(coherence.knowledge.stamp(3)).toMatchObject({
      partition: 3,
      birth: 0,
      seq: 0,
      generation: 0,
    })
    await coherence.evict([at(3, 'a')], { soft: true, settleMs: 0 })
    await coherence.evictTags(['t'])
    await coherence.publish({ kind: 'wake', key: 'a' })
    expect(forgotten).toEqual([[['a'], ALWAYS, true]])
    expect(coherence.knowledge.tags.allows(0, '@c', 3, ['t'])).toBe(false)
    expect([clock.pending, store.faults.calls(), seen['recovery-queue']]).toEqual([0, 0, []])
  })
})

describe('before the first contact', () => {
  it('nothing is confirmed, and nothing of the store can be judged', () => {
    const { coherence, store } = startNode()
    expect([coherence.knowledge.isAlone, coherence.knowledge.canJudge(ALWAYS)]).toEqual([
      false,
      false,
    ])
    expect([
      coherence.knowledge.confirmedAt,
      coherence.knowledge.tagsVerifiedAt,
      coherence.knowledge.verifiedAt(0),
    ]).toEqual([NEVER, NEVER, NEVER])
    expect(coherence.knowledge.stamp(3).generation).toBe(-1)
    expect([store.faults.calls(), clock.pending]).toEqual([0, 0])
  })

  it('start asks once, and confirms what there is as of when it asked', async () => {
    clock.advance(1_000)
    const { coherence, store, seen } = startNode()
    store.faults.delay(40, { on: 'sync' })
    const starting = Promise.all([coherence.start(), coherence.start()])
    await clock.advanceAsync(40)
    await starting
    expect([
      coherence.knowledge.confirmedAt,
      coherence.knowledge.tagsVerifiedAt,
      coherence.knowledge.verifiedAt(63),
    ]).toEqual([1_000, 1_000, 1_000])
    expect(coherence.knowledge.server.toLocal(server.now())).toBe(clock.now() - 20)
    const { seq, generation } = coherence.knowledge.stamp(3)
    expect([seq > 0, generation]).toEqual([true, 1])
    expect([seen.coherence, seen['bus-gap']]).toEqual([[{ state: 'verified' }], []])
    expect(coherence.knowledge.isLevel(coherence.knowledge.stamp(3))).toBe(true)
  })

  it('start resolves, too, when the store does not answer', async () => {
    const { coherence, store, seen } = startNode()
    store.faults.fail({ on: 'sync' })
    await settled(coherence.start())
    expect([
      coherence.knowledge.confirmedAt,
      coherence.knowledge.canJudge(ALWAYS),
      seen.coherence,
    ]).toEqual([NEVER, false, []])
  })

  it('what the bus says of the subscription is an event, and asks the store again', async () => {
    const { coherence, store, seen } = startNode()
    await coherence.start()
    await settle()
    const before = syncsOf(store)
    expect(seen.bus).toEqual([{ state: 'up', error: undefined }])
    store.disconnect({ only: 'messages' })
    expect(seen.bus.at(-1)).toEqual({ state: 'down', error: expect.any(Error) })
    store.reconnect()
    await settle()
    expect(seen.bus.at(-1)).toEqual({ state: 'up', reason: undefined })
    expect(syncsOf(store)).toBe(before + 1)
    store.reconnect()
    await settle()
    expect(syncsOf(store)).toBe(before + 2)
  })

  it('garbage on the bus is reported as a gap that the next sync closes', async () => {
    const { store, seen, coherence } = await startKnowing()
    const subscribe = vi.spyOn(store.bus, 'subscribe')
    coherence.close()
    const other = startNode()
    const listening = vi.spyOn(other.store.bus, 'subscribe')
    await other.coherence.start()
    listening.mock.calls[0]?.[1].onGarbage('?')
    expect(other.seen['bus-gap']).toEqual([{ partition: 'tags', reason: 'gap', recovered: false }])
    expect([subscribe.mock.calls, seen['bus-gap']]).toEqual([[], []])
  })
})

describe('polling', () => {
  it('goes on two and a half times within the shortest maxStaleness, with jitter', async () => {
    const { coherence, store } = await startKnowing()
    const before = syncsOf(store)
    for (const [random, everyMs] of [
      [0, 600],
      [0.8, 760],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(random)
      await coherence.sync()
      const synced = syncsOf(store)
      await clock.advanceAsync(everyMs - 1)
      expect(syncsOf(store)).toBe(synced)
      await clock.advanceAsync(1)
      expect(syncsOf(store)).toBe(synced + 1)
      vi.restoreAllMocks()
    }
    expect(syncsOf(store)).toBe(before + 4)
  })

  it('goes faster once something asks for it, and never slower', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => void vi.restoreAllMocks())
    const { coherence, store } = await startKnowing()
    const next = (): number => (clock.nextAt ?? 0) - clock.now()
    const { pending } = clock
    coherence.requireStaleness(1_000)
    expect(next()).toBe(300)
    coherence.requireStaleness(1_000)
    coherence.requireStaleness(60_000)
    expect([next(), clock.pending]).toEqual([300, pending])
    const before = syncsOf(store)
    await clock.advanceAsync(300)
    expect(syncsOf(store)).toBe(before + 1)
  })

  it('goes on while the store does not answer, and ends with close', async () => {
    const { coherence, store } = await startKnowing()
    store.faults.fail({ on: 'sync' })
    const before = syncsOf(store)
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect(syncsOf(store)).toBeGreaterThan(before + 1)
    coherence.close()
    const closed = syncsOf(store)
    // The timer of the remote tier's deadlines may still stand.
    await clock.advanceAsync(TIMEOUT_MS)
    expect(clock.pending).toBe(0)
    await coherence.sync()
    await coherence.start()
    coherence.requireStaleness(1)
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect([syncsOf(store), clock.pending]).toEqual([closed, 0])
  })

  it('does not begin when it was closed before it started', async () => {
    const { coherence, store } = startNode()
    coherence.close()
    await coherence.start()
    expect([store.faults.calls(), clock.pending]).toEqual([0, 0])
  })

  it('asked for while one runs has another follow, once', async () => {
    const { coherence, store } = await startKnowing()
    store.faults.delay(10, { on: 'sync' })
    const before = syncsOf(store)
    const asked = [coherence.sync(), coherence.sync(), coherence.sync()]
    expect(new Set(asked).size).toBe(1)
    await clock.advanceAsync(10)
    expect(syncsOf(store)).toBe(before + 2)
    await clock.advanceAsync(10)
    expect(syncsOf(store)).toBe(before + 2)
  })
})

describe('judging what the store holds', () => {
  it('takes a tag clock that was confirmed within maxStaleness', async () => {
    const { coherence, store } = await startKnowing()
    store.faults.fail({ on: 'sync' })
    await clock.advanceAsync(MAX_STALENESS_MS - 1)
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(true)
    await clock.advanceAsync(1)
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(false)
  })

  it('asks the store when it was not, and only then', async () => {
    const { coherence, store } = await startKnowing()
    clock.advance(100)
    const before = syncsOf(store)
    await coherence.prepareToJudge(101)
    expect(syncsOf(store)).toBe(before)
    await settled(coherence.prepareToJudge(100))
    expect([syncsOf(store), coherence.knowledge.tagsVerifiedAt]).toEqual([before + 1, 100])
  })
})

describe('a process that begins, whose connections come up one after the other', () => {
  /** Of the first syncs of a store, so many are overtaken by one more connection that came up. */
  function startOvertaken(count: number) {
    const node = startNode()
    const { store } = node
    const subscribe = store.bus.subscribe.bind(store.bus)
    let cameUp = (): void => {}
    vi.spyOn(store.bus, 'subscribe').mockImplementation((namespace, listener) => {
      cameUp = () => listener.onDoubt()
      return subscribe(namespace, listener)
    })
    const sync = store.sync.bind(store)
    let syncs = 0
    vi.spyOn(store, 'sync').mockImplementation(async (partitions) => {
      if (++syncs <= count) cameUp()
      return sync(partitions)
    })
    return node
  }

  it.each([1, 2])(
    'can judge what is in the store when %i more came up meanwhile',
    async (count) => {
      const { coherence } = startOvertaken(count)
      const preparing = coherence.prepareToJudge(MAX_STALENESS_MS)
      const judging = preparing.then(() => coherence.knowledge.canJudge(MAX_STALENESS_MS))
      expect(await settled(judging)).toBe(true)
    },
  )

  it('does not wait for ever for a store whose connections never stay', async () => {
    const { coherence, store } = startOvertaken(100)
    let isOver = false
    void coherence.prepareToJudge(MAX_STALENESS_MS).then(() => {
      isOver = true
      store.faults.fail({ on: 'sync' })
    })
    await settle()
    expect(isOver).toBe(true)
  })
})

describe('a message about keys', () => {
  it('forgets and wakes them, and is reported', async () => {
    const { coherence, forgotten, woken, seen, receive } = await startKnowing()
    const { seq } = coherence.knowledge.stamp(3)
    receive({ kind: 'keys', partition: 3, previous: seq, seq: seq + 5, keys: ['a', 'b'] })
    await settle()
    expect(forgotten).toEqual([[['a', 'b'], seq + 5, undefined]])
    expect(woken).toEqual(['a', 'b'])
    expect(seen.invalidate).toEqual([{ keys: ['a', 'b'], tags: [] }])
    expect([coherence.knowledge.stamp(3).seq, seen['bus-gap']]).toEqual([seq + 5, []])
  })

  it('of a partition that there is not is nothing', async () => {
    const { forgotten, receive } = await startKnowing()
    receive({ kind: 'keys', partition: PARTITIONS, previous: 1, seq: 2, keys: ['a'] })
    await settle()
    expect(forgotten).toEqual([])
  })

  it('after a gap asks the log at once, once, and stands where the log ends', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    b.store.disconnect({ only: 'messages', silently: true })
    await a.coherence.evict([at(3, 'missed')], HARD)
    await settle()
    b.store.reconnect()
    const asked = b.store.faults.calls('changesSince')
    await a.coherence.evict([at(3, 'heard')], HARD)
    await settle()
    expect(b.forgotten.flatMap(([keys]) => keys)).toEqual(
      expect.arrayContaining(['missed', 'heard']),
    )
    expect(b.woken).toEqual(expect.arrayContaining(['missed', 'heard']))
    // Also whether the log knows what was heard, in the same round trip.
    expect(b.store.faults.calls('changesSince')).toBe(asked + 2)
    expect(b.coherence.knowledge.stamp(3).seq).toBe(a.coherence.knowledge.stamp(3).seq)
    expect(b.seen['bus-gap'].map(({ reason, recovered }) => [reason, recovered])).toContainEqual([
      expect.stringMatching(/gap|behind/),
      true,
    ])
  })

  it('of another history doubts the partition, and asserts what this node evicted', async () => {
    const { coherence, seen, receive, store, forgotten } = await startKnowing()
    await coherence.evict([at(3, 'mine'), at(4, 'elsewhere')], HARD)
    const stamp = coherence.knowledge.stamp(3)
    const evicts = store.faults.calls('evict')
    receive({ kind: 'keys', partition: 3, previous: stamp.seq - 1, seq: LATER, keys: ['a'] })
    await settle()
    expect(coherence.knowledge.isLevel(stamp)).toBe(false)
    expect(coherence.knowledge.changes).toBeGreaterThan(stamp.changes)
    expect(seen['bus-gap']).toContainEqual({
      partition: 3,
      reason: 'history-lost',
      recovered: false,
    })
    expect(store.faults.calls('evict')).toBe(evicts + 1)
    expect(forgotten.at(-1)?.[0]).toEqual(['mine'])
    expect(coherence.knowledge.isLevel(coherence.knowledge.stamp(4))).toBe(true)
  })

  it('is not heard any more after close', async () => {
    const { coherence, woken, receive } = await startKnowing()
    coherence.close()
    receive({ kind: 'wake', key: 'a' })
    await settle()
    expect(woken).toEqual([])
  })

  it('wakes only, when a lease ended', async () => {
    const { woken, receive, forgotten, seen } = await startKnowing()
    receive({ kind: 'wake', key: 'a' })
    await settle()
    expect([woken, forgotten, seen.invalidate]).toEqual([['a'], [], []])
  })
})

describe('a message about tags', () => {
  it('invalidates them, and is reported', async () => {
    const { coherence, seen, receive, store } = await startKnowing()
    const known = coherence.knowledge.tags.confirmed
    const { changes } = coherence.knowledge
    const asked = store.faults.calls('tagsSince')
    receive({ kind: 'tags', previous: known, version: known + 1, floor: 0, tags: ['t'] })
    await settle()
    expect(coherence.knowledge.tags.allows(known, '@c', 3, ['t'])).toBe(false)
    expect([coherence.knowledge.tags.confirmed, coherence.knowledge.changes]).toEqual([
      known + 1,
      changes + 1,
    ])
    expect(seen.invalidate).toEqual([{ keys: [], tags: ['t'] }])
    expect([seen['bus-gap'], store.faults.calls('tagsSince')]).toEqual([[], asked])
  })

  it('after a gap asks the store at once, and not again while that is under way', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    b.store.disconnect({ only: 'messages', silently: true })
    await a.coherence.evictTags(['missed'])
    await settle()
    const birth = b.coherence.knowledge.tags.now
    b.store.faults.fail({ on: 'sync' })
    b.store.reconnect()
    await settle()
    b.store.faults.delay(10, { on: 'tagsSince' })
    const asked = b.store.faults.calls('tagsSince')
    b.seen['bus-gap'].length = 0
    await a.coherence.evictTags(['heard'])
    await a.coherence.evictTags(['heard, too'])
    await clock.advanceAsync(10)
    for (const tag of ['missed', 'heard', 'heard, too']) {
      expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, [tag])).toBe(false)
    }
    expect(b.store.faults.calls('tagsSince')).toBe(asked + 1)
    expect(b.seen['bus-gap']).toEqual([{ partition: 'tags', reason: 'gap', recovered: true }])
    expect(b.coherence.knowledge.tags.confirmed).toBe(a.coherence.knowledge.tags.confirmed)
  })
})

describe('a sync', () => {
  it('finds keys whose messages were lost', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    b.store.disconnect({ only: 'messages', silently: true })
    await a.coherence.evict([at(3, 'a'), at(3, 'b'), at(9, 'c')], HARD)
    const before = clock.now()
    await clock.advanceAsync(100)
    await settled(b.coherence.sync())
    expect(b.forgotten.map(([keys, seq]) => [keys, seq])).toEqual([
      [['a', 'b'], a.coherence.knowledge.stamp(3).seq],
      [['c'], a.coherence.knowledge.stamp(9).seq],
    ])
    expect(b.woken).toEqual(['a', 'b', 'c'])
    expect(b.seen['bus-gap']).toEqual([
      { partition: 3, reason: 'behind', recovered: true },
      { partition: 9, reason: 'behind', recovered: true },
    ])
    expect([b.coherence.knowledge.verifiedAt(3), b.coherence.knowledge.confirmedAt]).toEqual([
      before + 100,
      before + 100,
    ])
  })

  it('finds tags whose messages were lost', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const birth = b.coherence.knowledge.tags.now
    b.store.disconnect({ only: 'messages', silently: true })
    await a.coherence.evictTags(['t'])
    await settled(b.coherence.sync())
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, ['t'])).toBe(false)
    expect(b.seen['bus-gap']).toEqual([{ partition: 'tags', reason: 'behind', recovered: true }])
  })

  it('catches up many partitions, a few at a time', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    b.store.disconnect({ only: 'messages', silently: true })
    const all = Array.from({ length: PARTITIONS }, (_, id) => at(id, `k${id}`))
    await a.coherence.evict(all, HARD)
    b.store.faults.delay(10, { on: 'changesSince' })
    const syncing = b.coherence.sync()
    await settle()
    expect(b.store.faults.calls('changesSince')).toBe(16)
    await clock.advanceAsync(40)
    await syncing
    expect(b.store.faults.calls('changesSince')).toBe(PARTITIONS)
    expect(b.forgotten).toHaveLength(PARTITIONS)
    expect(b.coherence.knowledge.confirmedAt).toBe(b.coherence.knowledge.verifiedAt(63))
  })

  it('confirms nothing of a partition that could not be read, or not be caught up with', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const { sync } = b.store
    vi.spyOn(b.store, 'sync').mockImplementation(async (partitions) => {
      const reply = await sync.call(b.store, partitions)
      return { ...reply, heads: reply.heads.with(5, undefined) }
    })
    b.store.disconnect({ only: 'messages', silently: true })
    await a.coherence.evict([at(3, 'a')], HARD)
    b.store.faults.fail({ on: 'changesSince', times: 1 })
    await clock.advanceAsync(100)
    await settled(b.coherence.sync())
    expect([b.coherence.knowledge.verifiedAt(3), b.coherence.knowledge.verifiedAt(5)]).toEqual([
      0, 0,
    ])
    expect(b.coherence.knowledge.verifiedAt(4)).toBe(100)
    expect(b.coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(true)
  })

  it('confirms no tags where the tag clock could not be read', async () => {
    const { coherence, store } = await startKnowing()
    const { sync } = store
    vi.spyOn(store, 'sync').mockImplementation(async (partitions) => ({
      ...(await sync.call(store, partitions)),
      tags: undefined,
    }))
    await clock.advanceAsync(100)
    await settled(coherence.sync())
    expect(coherence.knowledge.tagsVerifiedAt).toBe(0)
  })

  it('that was sent before a change was applied here does not take it for lost history', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const { sync } = b.store
    const late = vi.spyOn(b.store, 'sync').mockImplementation(async (partitions) => {
      const reply = await sync.call(b.store, partitions)
      await new Promise<void>((resolve) => clock.schedule(20, resolve))
      return reply
    })
    await clock.advanceAsync(100)
    const syncing = b.coherence.sync()
    await settle()
    await a.coherence.evict([at(3, 'a')], HARD)
    await clock.advanceAsync(20)
    await syncing
    late.mockRestore()
    expect(b.seen['bus-gap']).toEqual([])
    expect([b.coherence.knowledge.verifiedAt(3), b.coherence.knowledge.stamp(3).seq]).toEqual([
      100,
      a.coherence.knowledge.stamp(3).seq,
    ])
  })

  it('finds that the store went back, doubts what was there, and has it evicted again', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const replica = server.snapshot()
    await a.coherence.evict([at(3, 'a')], HARD)
    await settle()
    server.restore(replica)
    const [stampA, stampB] = [a.coherence.knowledge.stamp(3), b.coherence.knowledge.stamp(3)]
    await settled(a.coherence.sync())
    await settled(b.coherence.sync())
    expect([a.coherence.knowledge.isLevel(stampA), b.coherence.knowledge.isLevel(stampB)]).toEqual([
      false,
      false,
    ])
    expect(a.seen['bus-gap']).toContainEqual({
      partition: 3,
      reason: 'history-lost',
      recovered: false,
    })
    const late = await startKnowing()
    expect(late.coherence.knowledge.stamp(3).seq).toBeGreaterThan(stampA.seq)
  })

  it('finds that the store lost tags, and has them invalidated again', async () => {
    const a = await startKnowing()
    const replica = server.snapshot()
    await a.coherence.evictTags(['t'])
    server.restore(replica)
    const before = a.coherence.knowledge.tags.confirmed
    a.seen['bus-gap'].length = 0
    await settled(a.coherence.sync())
    const late = await startKnowing()
    expect(late.coherence.knowledge.tags.confirmed).toBeGreaterThan(before)
    expect(a.seen['bus-gap'][0]).toEqual({
      partition: 'tags',
      reason: 'history-lost',
      recovered: true,
    })
    const bumps = a.store.faults.calls('bumpTags')
    await settled(a.coherence.sync())
    expect(a.store.faults.calls('bumpTags')).toBe(bumps)
  })

  it('reports once when this node can be told nothing any more, and once when it can again', async () => {
    const { coherence, store, seen } = await startKnowing()
    store.faults.fail({ on: 'evict', times: 1 })
    await expect(coherence.evict([at(3, 'a')], HARD)).rejects.toThrow(EvictionQueued)
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect(seen.coherence).toEqual([{ state: 'isolated' }, { state: 'verified' }])
  })
})

describe('an eviction', () => {
  it('is done here before the store did it, and for what is older than that after it', async () => {
    const { coherence, store, forgotten } = await startKnowing()
    const evicting = coherence.evict([at(3, 'a')], { soft: true, settleMs: 0 })
    expect(forgotten).toEqual([[['a'], ALWAYS, true]])
    await evicting
    expect(forgotten.at(-1)).toEqual([['a'], coherence.knowledge.stamp(3).seq, true])
    store.faults.fail({ on: 'evict', times: 1 })
    await expect(coherence.evict([at(3, 'a')], HARD)).rejects.toThrow(EvictionQueued)
    expect(forgotten.slice(-2)).toContainEqual([['a'], ALWAYS, false])
  })

  it('that fails waits, undoes every confirmation, and is run before the next', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    a.store.faults.fail({ on: 'evict', times: 1 })
    await expect(a.coherence.evict([at(3, 'a'), at(3, 'b')], HARD)).rejects.toThrow(EvictionQueued)
    expect([a.coherence.knowledge.queue.keys.has('a'), a.coherence.knowledge.queue.size]).toEqual([
      true,
      2,
    ])
    expect([a.coherence.knowledge.tagsVerifiedAt, a.coherence.knowledge.confirmedAt]).toEqual([
      NEVER,
      NEVER,
    ])
    expect(a.coherence.knowledge.canJudge(ALWAYS)).toBe(false)
    // Before and after the try, and not again when its own word of doubt comes back: it may have been soft.
    expect(a.forgotten.filter(([, seq]) => seq === ALWAYS)).toHaveLength(2)
    await clock.advanceAsync(100)
    b.forgotten.length = 0
    await settled(a.coherence.sync())
    expect(b.forgotten.flatMap(([keys]) => keys)).toEqual(['a', 'b'])
    expect([
      a.coherence.knowledge.queue.size,
      a.coherence.knowledge.tagsVerifiedAt,
      a.coherence.knowledge.confirmedAt,
    ]).toEqual([0, clock.now(), clock.now()])
    expect(a.seen['recovery-queue']).toEqual([
      { waiting: 2, escalated: 'none' },
      { waiting: 0, escalated: 'none' },
    ])
  })

  it('of tags that fails waits as well', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const birth = b.coherence.knowledge.tags.now
    a.store.faults.fail({ on: 'bumpTags', times: 1 })
    await expect(a.coherence.evictTags(['t'])).rejects.toThrow(EvictionQueued)
    expect([
      a.coherence.knowledge.tags.allows(birth, '@c', 3, ['t']),
      a.coherence.knowledge.queue.size,
    ]).toEqual([false, 1])
    expect([a.coherence.knowledge.canJudge(ALWAYS), b.coherence.knowledge.tags.confirmed]).toEqual([
      false,
      birth,
    ])
    await settled(a.coherence.sync())
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, ['t'])).toBe(false)
    expect([a.coherence.knowledge.queue.size, a.seen['recovery-queue']]).toEqual([
      0,
      [
        { waiting: 1, escalated: 'none' },
        { waiting: 0, escalated: 'none' },
      ],
    ])
  })

  it('that cannot be remembered key by key is remembered by partition, here at once', async () => {
    const { coherence, store, seen } = await startKnowing({ queue: new RecoveryQueue(1, 10) })
    const birth = coherence.knowledge.tags.now
    store.faults.fail({ on: 'evict' })
    for (const key of ['a', 'b']) coherence.enqueue([at(3, key)])
    expect([
      coherence.knowledge.tags.allows(birth, '@c', 3, []),
      coherence.knowledge.tags.allows(birth, '@c', 4, []),
    ]).toEqual([false, true])
    expect(seen['recovery-queue'].at(-1)).toEqual({ waiting: 1, escalated: 'partition' })
    await settled(coherence.sync())
    expect([coherence.knowledge.queue.size, seen['recovery-queue'].at(-1)]).toEqual([
      0,
      { waiting: 0, escalated: 'none' },
    ])
  })

  it('of more tags than can be remembered is one of everything, here at once', async () => {
    const { coherence, store } = await startKnowing({ queue: new RecoveryQueue(10, 1) })
    const birth = coherence.knowledge.tags.now
    store.faults.fail({ on: 'bumpTags', times: 1 })
    await expect(coherence.evictTags(['t', 'u'])).rejects.toThrow(EvictionQueued)
    expect(coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(false)
    expect(coherence.knowledge.queue.waiting().tags).toEqual([{ tag: EVERYTHING }])
  })

  it('is repeated after lost history as a whole partition where there were too many', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const replica = server.snapshot()
    const many = Array.from({ length: 513 }, (_, n) => at(3, `k${n}`))
    await settled(a.coherence.evict(many, HARD))
    server.restore(replica)
    const birth = b.coherence.knowledge.tags.now
    await settled(a.coherence.sync())
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(false)
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 4, [])).toBe(true)
  })

  it('whose repetition fails waits in the queue, with its partition where there were too many', async () => {
    const a = await startKnowing()
    const replica = server.snapshot()
    const many = Array.from({ length: 513 }, (_, n) => at(3, `k${n}`))
    await settled(a.coherence.evict(many, HARD))
    const birth = a.coherence.knowledge.tags.now
    server.restore(replica)
    a.store.faults.fail({ on: 'bumpTags', times: 1 })
    await settled(a.coherence.sync())
    expect(a.coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(false)
    expect(a.coherence.knowledge.queue.waiting().tags).toEqual([{ tag: partitionTag(3) }])
    await settled(a.coherence.sync())
    expect(a.coherence.knowledge.queue.size).toBe(0)
  })
})

describe('a store that does not publish', () => {
  it('has the engine publish what it changed, a message a partition', async () => {
    const { coherence, published } = await startKnowing({ publishes: false })
    const before = [coherence.knowledge.stamp(3).seq, coherence.knowledge.stamp(4).seq]
    await coherence.evict([at(3, 'a'), at(4, 'b'), at(3, 'c')], HARD)
    const known = coherence.knowledge.tags.confirmed
    await coherence.evictTags(['t'])
    expect(published).toEqual([
      {
        kind: 'keys',
        partition: 3,
        previous: before[0],
        seq: coherence.knowledge.stamp(3).seq,
        keys: ['a', 'c'],
      },
      {
        kind: 'keys',
        partition: 4,
        previous: before[1],
        seq: coherence.knowledge.stamp(4).seq,
        keys: ['b'],
      },
      {
        kind: 'tags',
        previous: known,
        version: coherence.knowledge.tags.confirmed,
        floor: coherence.knowledge.tags.floor,
        tags: ['t'],
      },
    ])
  })

  it('has it publish what had waited, too', async () => {
    const { coherence, published } = await startKnowing({ publishes: false })
    coherence.enqueue([at(3, 'a')])
    await settled(coherence.sync())
    expect(published).toMatchObject([
      { kind: 'doubt', keys: ['a'] },
      { kind: 'keys', partition: 3, keys: ['a'] },
    ])
  })

  it('that publishes has nothing published twice', async () => {
    const { coherence, store } = await startKnowing()
    const publish = vi.fn()
    Object.defineProperty(store.bus, 'publish', { value: publish })
    await coherence.evict([at(3, 'a')], HARD)
    expect(publish).not.toHaveBeenCalled()
  })
})

describe('nobody listening', () => {
  it('hears nothing, and everything works', async () => {
    const { coherence, receive, events } = await startKnowing({ hears: false })
    const emit = vi.spyOn(events, 'emit')
    const { seq } = coherence.knowledge.stamp(3)
    receive({ kind: 'keys', partition: 3, previous: seq, seq: seq + 5, keys: ['a'] })
    await settle()
    expect(emit.mock.calls.filter(([name]) => name === 'invalidate')).toEqual([])
    expect(coherence.knowledge.stamp(3).seq).toBe(seq + 5)
  })
})

it('a partition that there is not has no state', () => {
  expect(() => startNode().coherence.knowledge.stamp(PARTITIONS)).toThrow(RangeError)
})

describe('history lost further back than nodes remember', () => {
  const lostSince = async (ms: number) => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    await settled(b.coherence.evict([at(3, 'before')], HARD))
    const snapshot = server.snapshot()
    await settled(a.coherence.evict([at(3, 'a')], HARD))
    for (let passed = 0; passed < ms; passed += 1_000) await clock.advanceAsync(1_000)
    const birth = b.coherence.knowledge.tags.now
    server.restore(snapshot)
    return { a, b, birth }
  }

  it('invalidates the partition for everybody', async () => {
    const { a, b, birth } = await lostSince(70_000)
    await settled(b.coherence.sync())
    expect(a.coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(false)
    expect(a.coherence.knowledge.tags.allows(birth, '@c', 4, [])).toBe(true)
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(false)
  })

  it('is found out once: who comes later sees that it was done', async () => {
    const { a, b } = await lostSince(70_000)
    await settled(b.coherence.sync())
    const { confirmed } = b.coherence.knowledge.tags
    await settled(a.coherence.sync())
    expect(b.coherence.knowledge.tags.confirmed).toBe(confirmed)
  })

  it('and no further, keys are repeated and the others stand', async () => {
    const { a, b, birth } = await lostSince(40_000)
    b.forgotten.length = 0
    await settled(a.coherence.sync())
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, [])).toBe(true)
    expect(b.forgotten.flatMap(([keys]) => keys)).toContain('a')
  })

  it('of tags, invalidates all of them anew', async () => {
    const longestLifeMs = 3_600_000
    const [a, b] = [await startKnowing({ longestLifeMs }), await startKnowing({ longestLifeMs })]
    await settled(b.coherence.evictTags(['first']))
    const birth = b.coherence.knowledge.tags.confirmed
    const snapshot = server.snapshot()
    await settled(a.coherence.evictTags(['early']))
    await clock.advanceAsync(600_000)
    await settled(a.coherence.evictTags(['late']))
    server.restore(snapshot)
    await clock.advanceAsync(1)
    // Somebody who knew nothing of it moves the clock on, so that its number tells nothing.
    const c = await startKnowing()
    await settled(c.coherence.evictTags(['other']))
    await settled(b.coherence.sync())
    await settled(c.coherence.sync())
    for (const tag of ['early', 'late']) {
      expect(c.coherence.knowledge.tags.allows(birth, '@c', 3, [tag])).toBe(false)
    }
    expect(c.coherence.knowledge.tags.allows(birth, '@c', 3, ['first'])).toBe(true)
  })
})

describe('after a reconnect', () => {
  it('nothing of the store is judged before it was asked', async () => {
    const { coherence, store } = await startKnowing()
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(true)
    store.faults.fail({ on: 'sync', times: 1 })
    store.disconnect({ only: 'commands' })
    store.reconnect()
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(false)
    await settle()
    await settled(coherence.sync())
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(true)
  })
})

describe('what was read back from the store', () => {
  const written = (createdAt: number) => ({ createdAt, commit: 9, loadMs: 0 })

  it('is not trusted when it is older than an eviction of it here', async () => {
    const { coherence } = await startKnowing()
    await clock.advanceAsync(10)
    const evictedAt = Math.floor(server.now())
    await settled(coherence.evict([at(3, 'a')], HARD))
    const { confirmed } = coherence.knowledge.tags
    expect(coherence.knowledge.isOutlived(at(3, 'a'), confirmed, written(evictedAt))).toBe(true)
    expect(coherence.knowledge.isOutlived(at(3, 'a'), confirmed, written(evictedAt + 1))).toBe(
      false,
    )
    expect(coherence.knowledge.isOutlived(at(3, 'b'), confirmed, written(evictedAt))).toBe(false)
  })

  it('is not trusted when it was born above the clock that the store had later', async () => {
    const { coherence } = await startKnowing()
    await clock.advanceAsync(10)
    await settled(coherence.sync())
    const { confirmed } = coherence.knowledge.tags
    const now = Math.floor(server.now())
    const isOutlived = (birth: number, createdAt: number) =>
      coherence.knowledge.isOutlived(at(3, 'a'), birth, written(createdAt))
    // In the millisecond of the sync it may have been written before it.
    expect([isOutlived(confirmed + 1, now - 1), isOutlived(confirmed + 1, now)]).toEqual([
      true,
      true,
    ])
    expect([isOutlived(confirmed + 1, now + 1), isOutlived(confirmed, now)]).toEqual([false, false])
  })
})

describe('a store that refuses writes', () => {
  const refusing = async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    a.store.faults.fail({ on: 'evict' })
    a.store.faults.fail({ on: 'bumpTags' })
    return { a, b }
  }

  it('does not keep the others from hearing that keys and tags are in doubt', async () => {
    const { a, b } = await refusing()
    const birth = b.coherence.knowledge.tags.now
    await expect(a.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow()
    await expect(a.coherence.evictTags(['t'])).rejects.toThrow()
    await settle()
    expect(b.forgotten.flatMap(([keys]) => keys)).toEqual(['a'])
    expect([b.coherence.knowledge.isInDoubt('a'), b.coherence.knowledge.isInDoubt('b')]).toEqual([
      true,
      false,
    ])
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, ['t'])).toBe(false)
    expect(b.coherence.knowledge.tags.allows(b.coherence.knowledge.tags.now, '@c', 3, ['t'])).toBe(
      true,
    )
  })

  it('is told as it was asked for, and a hard one counts whichever came first', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const soft = { soft: true, settleMs: 0 }
    a.store.faults.fail({ on: 'evict' })
    await expect(a.coherence.evict([at(3, 'a'), at(3, 'b')], soft)).rejects.toThrow(EvictionQueued)
    await settle()
    expect(b.forgotten).toEqual([[['a', 'b'], ALWAYS, true]])
    // The first word of the hard one is lost; it is heard with the next try.
    b.store.disconnect({ only: 'messages', silently: true })
    await expect(a.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow(EvictionQueued)
    await settle()
    b.store.reconnect()
    b.forgotten.length = 0
    await settled(a.coherence.sync())
    expect(b.forgotten).toEqual([[['a'], ALWAYS, false]])
    b.forgotten.length = 0
    await settled(a.coherence.sync())
    expect(b.forgotten).toEqual([])
  })

  it('of another node that is harder than what waits here is done here', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    for (const { store } of [a, b]) store.faults.fail({ on: 'evict' })
    const soft = { soft: true, settleMs: 0 }
    await expect(a.coherence.evict([at(3, 'a')], soft)).rejects.toThrow(EvictionQueued)
    await settle()
    a.forgotten.length = 0
    await expect(b.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow(EvictionQueued)
    await settle()
    expect(a.forgotten).toEqual([[['a'], ALWAYS, false]])
  })

  it('of tags softly is told softly', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    const birth = b.coherence.knowledge.tags.now
    a.store.faults.fail({ on: 'bumpTags' })
    await expect(a.coherence.evictTags([softTag('t')])).rejects.toThrow(EvictionQueued)
    await settle()
    const { tags } = b.coherence.knowledge
    expect([tags.softens(birth, '@c', ['t']), tags.allows(birth, '@c', 3, ['t'])]).toEqual([
      true,
      true,
    ])
  })

  it('is doubted for as long as the eviction waits, and what was loaded meanwhile is kept', async () => {
    const { a, b } = await refusing()
    await expect(a.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow()
    await expect(a.coherence.evictTags(['t'])).rejects.toThrow()
    await settle()
    b.forgotten.length = 0
    const birth = b.coherence.knowledge.tags.now
    for (let passed = 0; passed < 20_000; passed += 500) await clock.advanceAsync(500)
    expect([b.forgotten, b.coherence.knowledge.isInDoubt('a')]).toEqual([[], true])
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, ['t'])).toBe(true)
    expect(a.seen['recovery-queue'].length).toBeGreaterThan(10)
    a.store.faults.heal()
    await clock.advanceAsync(6_000)
    expect([a.coherence.knowledge.queue.size, b.coherence.knowledge.isInDoubt('a')]).toEqual([
      0,
      false,
    ])
    expect(b.coherence.knowledge.tags.allows(birth, '@c', 3, ['t'])).toBe(false)
  })

  it('is doubted by the others, too, where each refusal ends the connection', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    let isConnected = true
    vi.spyOn(a.store, 'evict').mockImplementation(async () => {
      isConnected = false
      throw new StoreRefusedError('evict', 'readonly', 'READONLY')
    })
    const publish = a.store.bus.publish.bind(a.store.bus)
    vi.spyOn(a.store.bus, 'publish').mockImplementation(async (message) => {
      if (!isConnected) throw new Error('no connection')
      return publish(message)
    })
    await expect(a.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow()
    for (let tries = 0; tries < 2; tries++) {
      isConnected = true
      await settled(a.coherence.sync())
    }
    expect([b.coherence.knowledge.isInDoubt('a'), b.forgotten.flatMap(([keys]) => keys)]).toEqual([
      true,
      ['a'],
    ])
  })

  it('is trusted again when nobody repeats the doubt', async () => {
    const { a, b } = await refusing()
    await expect(a.coherence.evict([at(3, 'a')], HARD)).rejects.toThrow()
    await settle()
    a.coherence.close()
    await clock.advanceAsync(6_000)
    expect(b.coherence.knowledge.isInDoubt('a')).toBe(false)
  })
})

describe('a lost message', () => {
  it('that a sync caught up with is no lost history', async () => {
    const [a, b] = [await startKnowing(), await startKnowing()]
    a.store.disconnect({ only: 'messages', silently: true })
    await settled(b.coherence.evict([at(3, 'a')], HARD))
    await settled(a.coherence.sync())
    await settled(a.coherence.sync())
    expect(a.seen['bus-gap']).toEqual([{ partition: 3, reason: 'behind', recovered: true }])
  })
})

describe('messages that are about another store', () => {
  it('keep nobody busy', async () => {
    const { coherence, store, receive } = await startKnowing()
    await settled(coherence.evict([at(3, 'a')], HARD))
    const evictions = store.faults.calls('evict')
    for (let n = 0; n < 50; n++) {
      receive({
        kind: 'keys',
        partition: 3,
        previous: LATER + 2 * n,
        seq: LATER + 2 * n + 1,
        keys: ['x'],
      })
      await clock.advanceAsync(20)
    }
    expect(store.faults.calls('evict') - evictions).toBeLessThan(10)
    expect(syncsOf(store)).toBeLessThan(20)
  })
})

describe('a store without sequence numbers', () => {
  it('is never found to have lost a history that it does not have', async () => {
    const node = startNode({ sequences: false })
    await node.coherence.start()
    for (let seq = 1; seq < 20; seq++) {
      node.coherence.applyMutation({ partition: 3, previous: 0, seq, nowMs: 0 }, ['a'], 5)
    }
    await clock.advanceAsync(10)
    expect(node.seen['bus-gap']).toEqual([])
    expect(node.store.faults.calls('evict')).toBe(0)
  })
})

describe('a machine that slept', () => {
  const HOUR_MS = 3_600_000

  it('trusts nothing it knew, asks at once, and trusts again what is confirmed since', async () => {
    const { coherence, store, seen } = await startKnowing()
    const before = coherence.knowledge.stamp(1)
    const syncs = syncsOf(store)
    clock.sleep(HOUR_MS)
    store.faults.hang({ on: 'sync', times: 1 })
    void coherence.sync()
    expect(syncsOf(store)).toBe(syncs)
    await clock.advanceAsync(1)
    expect(syncsOf(store)).toBe(syncs + 1)
    expect([coherence.knowledge.verifiedAt(1), coherence.knowledge.confirmedAt]).toEqual([
      NEVER,
      NEVER,
    ])
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(false)
    expect(coherence.knowledge.isLevel(before)).toBe(false)
    expect(coherence.knowledge.trustedSince).toBeGreaterThan(before.changes)
    expect(seen.coherence).toEqual([{ state: 'isolated' }])
    store.faults.heal()
    await settle()
    expect(coherence.knowledge.verifiedAt(1)).toBe(0)
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(true)
    expect(coherence.knowledge.isLevel(before)).toBe(false)
    expect(coherence.knowledge.stamp(1).changes).toBeGreaterThanOrEqual(
      coherence.knowledge.trustedSince,
    )
  })

  it('notices it at the next poll', async () => {
    const { coherence, store } = await startKnowing()
    const { changes } = coherence.knowledge
    clock.sleep(HOUR_MS)
    store.faults.fail({ on: 'sync' })
    await clock.advanceAsync(MAX_STALENESS_MS / 2.5)
    expect(coherence.knowledge.changes).toBeGreaterThan(changes)
    expect(coherence.knowledge.confirmedAt).toBe(NEVER)
  })

  it('does not take for news what was answered before', async () => {
    const { coherence, store } = await startKnowing()
    const sync = store.sync.bind(store)
    const replies: (() => void)[] = []
    store.sync = async (partitions) => {
      const reply = await sync(partitions)
      await new Promise<void>((resolve) => replies.push(resolve))
      return reply
    }
    void coherence.sync()
    await settle()
    clock.sleep(HOUR_MS)
    replies.shift()?.()
    await settle()
    expect(coherence.knowledge.verifiedAt(1)).toBe(NEVER)
    expect(coherence.knowledge.canJudge(MAX_STALENESS_MS)).toBe(false)
    replies.shift()?.()
    await settle()
    expect(coherence.knowledge.verifiedAt(1)).toBe(0)
  })

  it('does not believe that it stood anywhere within the last minute', async () => {
    const { coherence } = await startKnowing()
    await settled(coherence.evict([at(1, 'k')], HARD))
    const snapshot = server.snapshot()
    await settled(coherence.evict([at(1, 'k')], HARD))
    await coherence.sync()
    clock.sleep(HOUR_MS)
    await coherence.sync()
    server.restore(snapshot)
    await coherence.sync()
    await settle()
    expect(coherence.knowledge.tags.mintedFor(partitionTag(1))).toBeGreaterThan(0)
  })

  it('asks nobody when it is alone', async () => {
    const { coherence } = startNode({ isAlone: true })
    await coherence.start()
    clock.sleep(HOUR_MS)
    await coherence.sync()
    expect([coherence.knowledge.changes, coherence.knowledge.confirmedAt]).toEqual([0, ALWAYS])
  })
})
