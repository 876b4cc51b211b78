import { describe, expect, it } from 'vitest'
import { encodeEntry } from '../../entry/envelope.ts'
import { noFleet } from '../../fleet/no-fleet.ts'
import { ManualClock } from '../manual-clock.ts'
import { MemoryServer } from '../memory/memory-server.ts'
import { type FaultyRemoteStore, faultyRemoteStore } from './faulty-remote-store.ts'
import { garble } from './remote-faults.ts'

const ADDRESS = { partition: 1, key: 'c:k' }
const HARD = { soft: false, settleMs: 0 }

function bytes(): Buffer {
  return encodeEntry({
    flags: 0,
    commit: 1,
    birth: 1,
    freshForMs: 1_000,
    staleForMs: 1_000,
    livesForMs: 1_000,
    loadMs: 0,
    schema: 0,
    steps: [],
    tags: [],
    payload: Buffer.from('payload'),
  })
}

async function storeWithEntry(clock = new ManualClock()): Promise<FaultyRemoteStore> {
  const store = faultyRemoteStore(new MemoryServer({ clock }).store(), { clock })
  store.open('ns')
  await store.put(ADDRESS, { bytes: bytes(), livesMs: 1_000, since: 0 })
  return store
}

async function isThere(store: FaultyRemoteStore): Promise<boolean> {
  const [found] = await store.read([ADDRESS])
  return found !== undefined
}

describe('faultyRemoteStore', () => {
  it('passes everything on while no fault is switched on', async () => {
    const store = await storeWithEntry()
    expect(await isThere(store)).toBe(true)
    expect([store.ready, store.faults.calls('put'), store.faults.calls()]).toEqual([true, 1, 2])
  })

  it('fails the operations named, as often as said, without doing anything', async () => {
    const store = await storeWithEntry()
    const error = new Error('OOM')
    store.faults.fail({ on: ['evict', 'put'], times: 2 }, error)
    await expect(store.evict([ADDRESS], HARD)).rejects.toBe(error)
    expect(await isThere(store)).toBe(true)
    await expect(store.evict([ADDRESS], HARD)).rejects.toBe(error)
    await store.evict([ADDRESS], HARD)
    expect(await isThere(store)).toBe(false)
  })

  it('fails everything until it is healed', async () => {
    const store = await storeWithEntry()
    store.faults.fail()
    await expect(store.sync([])).rejects.toThrow('made to fail')
    await expect(store.scan('')[Symbol.asyncIterator]().next()).rejects.toThrow('made to fail')
    store.faults.heal()
    expect(await isThere(store)).toBe(true)
  })

  it('loses replies of calls that were carried out', async () => {
    const store = await storeWithEntry()
    store.faults.loseReply({ on: 'evict' })
    await expect(store.evict([ADDRESS], HARD)).rejects.toThrow('lose its reply')
    expect(await isThere(store)).toBe(false)
  })

  it('hangs until it is healed, and then goes on', async () => {
    const store = await storeWithEntry()
    store.faults.hang({ on: 'evict' })
    let isDone = false
    const evicting = store.evict([ADDRESS], HARD).then(() => {
      isDone = true
    })
    expect(await isThere(store)).toBe(true)
    expect(isDone).toBe(false)
    store.faults.heal()
    await evicting
    expect(await isThere(store)).toBe(false)
  })

  it('delays by the clock it was given', async () => {
    const clock = new ManualClock()
    const store = await storeWithEntry(clock)
    store.faults.delay(50, { on: 'evict' })
    const evicting = store.evict([ADDRESS], HARD)
    await clock.advanceAsync(49)
    expect(await isThere(store)).toBe(true)
    await clock.advanceAsync(1)
    await evicting
    expect(await isThere(store)).toBe(false)
  })

  it('damages what is read, and nothing else', async () => {
    const store = await storeWithEntry()
    const whole = bytes()
    store.faults.corrupt(undefined, { times: 1 })
    const [cut] = await store.read([ADDRESS, { partition: 2, key: 'c:none' }])
    expect(cut?.length).toBe(Math.floor(whole.length / 2))
    store.faults.corrupt(garble, { on: 'claim' })
    const request = { token: 9, leaseMs: 1_000, seen: 0, overtake: 0 }
    const reply = await store.claim(ADDRESS, request)
    expect(reply.kind === 'filled' && reply.bytes[0]).toBe((whole[0] ?? 0) ^ 0xff)
    expect((await store.read([ADDRESS]))[0]?.[0]).toBe(whole[0])
  })

  it('has the fleet of its store, and none where that has none', () => {
    const store = new MemoryServer().store()
    expect(faultyRemoteStore(store).fleet).toBeUndefined()
    const fleet = noFleet()
    expect(faultyRemoteStore(Object.assign(store, { fleet })).fleet).toBe(fleet)
  })
})
