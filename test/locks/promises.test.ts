/** Every promise about locks, crossed with every way of locking and every kind of store: see `support/modes.ts`. */

import { type Lock, LockLostError, type LockOptions, LockTimeoutError } from '@larder/core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { assertFollows } from '../support/redis/replication.ts'
import { type End, MODES, type Mode, type Servers, startEnd } from './support/modes.ts'
import { gate, watch } from './support/stage.ts'

/** A limit for whoever waits; never what is measured. */
const PATIENCE_MS = 50_000
/** Short enough to be lost while a test waits, and renewed in good time on a busy machine. */
const TERM_MS = 800

let servers: Servers
beforeAll(async () => {
  const [main, ...members] = await Promise.all([1, 2, 3, 4].map(() => startRedis()))
  if (main === undefined) throw new Error('There is no server')
  const replica = await startRedis({ args: ['--replicaof', main.host, String(main.port)] })
  await assertFollows(replica)
  servers = { main, members: [...members, replica] }
}, 60_000)
afterAll(async () => {
  await Promise.all([servers.main, ...servers.members].map((server) => server.stop()))
})

interface Case {
  readonly mode: Mode
  readonly one: End
  readonly other: End
  /** Options of the mode, and more. */
  with(more?: LockOptions): LockOptions
}

let ends = 0
/** For all tests of a store that is away: a manager takes a second to learn it. */
let away: readonly [End, End] | undefined
afterAll(async () => {
  for (const { caches } of away ?? []) await caches.close()
})

function startEnds(mode: Mode): readonly [End, End] {
  const namespace = freshNamespace()
  const given = { ...servers, members: servers.members.slice(0, 3) }
  return [startEnd(mode.store, given, namespace), startEnd(mode.store, given, namespace)]
}

/** `closes`: the test closes a manager. */
function start(mode: Mode, closes: boolean): Case {
  ends += 1
  const isShared = mode.store === 'away' && !closes
  if (isShared) away ??= startEnds(mode)
  const [one, other] = isShared && away !== undefined ? away : startEnds(mode)
  if (!isShared)
    onTestFinished(async () => {
      await Promise.all([one.caches.close(), other.caches.close()])
    })
  return {
    mode: { ...mode, keys: mode.keys.map((key) => `${key}:${ends}`) },
    one,
    other,
    with: (more) => ({ wait: PATIENCE_MS, ...mode.options, ...more }),
  }
}

interface Promised {
  readonly name: string
  /** Why it is not promised of a mode. */
  exempt?(mode: Mode): string | undefined
  readonly closes?: boolean
  run(test: Case): Promise<void>
}

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const PROMISES: readonly Promised[] = [
  {
    name: 'lets no more in than it may, from two managers',
    async run({ mode, one, other, with: options }) {
      let inside = 0
      let most = 0
      const call = (end: End): Promise<void> =>
        end.caches.locks.run(mode.keys, options(), async (lock) => {
          inside += 1
          most = Math.max(most, inside)
          for (let turn = 0; turn < 3; turn++) await aTurn()
          lock.assertHeld()
          inside -= 1
        })
      await Promise.all(Array.from({ length: 12 }, (_, n) => call(n % 2 === 0 ? one : other)))
      expect(most).toBeLessThanOrEqual(mode.most)
    },
  },
  {
    name: 'gives fences that rise with every grant',
    async run({ mode, one, other, with: options }) {
      const fences = new Map<string, number>()
      for (let n = 0; n < 6; n++) {
        const end = n % 2 === 0 ? one : other
        await end.caches.locks.run(mode.keys, options(), (lock) => {
          for (const key of lock.keys) {
            expect(lock.fenceOf(key)).toBeGreaterThan(fences.get(key) ?? 0)
            fences.set(key, lock.fenceOf(key))
          }
        })
      }
    },
  },
  {
    name: 'says that it stayed held, and leaves nothing behind',
    async run({ mode, one, other, with: options }) {
      const held = await one.caches.locks.acquire(mode.keys, options())
      for (const wait of [0, 50]) {
        const rival = other.caches.locks.acquire(mode.keys, { ...mode.rival, wait })
        await expect(rival).rejects.toThrow(LockTimeoutError)
      }
      expect(await held.release()).toBe(true)
      await isFree(mode, one)
      await (
        await other.caches.locks.acquire(mode.keys, { wait: PATIENCE_MS, ...mode.rival })
      ).release()
    },
  },
  {
    name: 'ends the waiting when the caller gives up',
    async run({ mode, one, other, with: options }) {
      const held = await one.caches.locks.acquire(mode.keys, options())
      const giving = new AbortController()
      const waiting = watch(
        other.caches.locks.acquire(mode.keys, {
          ...mode.rival,
          wait: PATIENCE_MS,
          signal: giving.signal,
        }),
      )
      await aTurn()
      giving.abort(new Error('enough'))
      await eventually('it gave up', async () => waiting.state === 'rejected')
      expect((waiting.error as Error).message).toBe('enough')
      expect(await held.release()).toBe(true)
      await isFree(mode, one)
    },
  },
  {
    name: 'keeps the lock until the last share has ended',
    async run({ mode, one, other, with: options }) {
      const sharing = gate()
      let share: Promise<void> | undefined
      const outer = watch(
        one.caches.locks.run(mode.keys, options(), () => {
          share = one.caches.locks.run(mode.keys, options(), async (lock) => {
            await sharing.opened
            lock.assertHeld()
          })
          throw new RangeError('the outer work failed')
        }),
      )
      await eventually('the share has begun', async () => share !== undefined)
      const rival = other.caches.locks.acquire(mode.keys, { ...mode.rival, wait: 50 })
      await expect(rival).rejects.toThrow(LockTimeoutError)
      expect(outer.state).toBe('pending')
      sharing.open()
      await share
      await eventually('the outer call came back', async () => outer.state === 'rejected')
      expect(outer.error).toBeInstanceOf(RangeError)
      await isFree(mode, one)
    },
  },
  {
    name: 'tells the holder, its shares and their callers that the lock is lost',
    async run({ mode, one, with: options }) {
      const { locks } = one.caches
      const terms = options({ lease: TERM_MS })
      const seen: { readonly error?: unknown }[] = []
      const lost = async ({ signal }: Lock): Promise<string> => {
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return 'done'
      }
      const outer = locks.run(mode.keys, terms, async (lock) => {
        seen.push(watch(locks.run(mode.keys, terms, lost)))
        await forget(mode, one)
        const result = await lost(lock)
        expect(() => lock.assertHeld()).toThrow(LockLostError)
        return result
      })
      await expect(outer).rejects.toMatchObject({ name: 'LockLostError', result: 'done' })
      await eventually('the share was told', async () => seen[0]?.error !== undefined)
      expect(seen[0]?.error).toBeInstanceOf(LockLostError)
      const ignored = options({ lease: TERM_MS, onLost: 'ignore' })
      const result = locks.run(mode.keys, ignored, async (lock) => {
        await forget(mode, one)
        return lost(lock)
      })
      expect(await result).toBe('done')
    },
  },
  {
    name: 'can be extended beyond its term and maxHold, and is then kept for so long',
    async run({ mode, one, other, with: options }) {
      const lock = await one.caches.locks.acquire(
        mode.keys,
        options({ lease: '5s', maxHold: '5s' }),
      )
      expect(await lock.extend('1m')).toBeGreaterThan(50_000)
      for (const name of mode.keys) {
        for (const { remainingMs } of (await one.provider.inspect(name)).holders) {
          expect(remainingMs).toBeGreaterThan(50_000)
        }
      }
      const rival = other.caches.locks.acquire(mode.keys, { ...mode.rival, wait: 0 })
      await expect(rival).rejects.toThrow(LockTimeoutError)
      expect(await lock.release()).toBe(true)
    },
  },
  {
    name: 'ends with its term once the renewal is ended, and not before',
    async run({ mode, one, other, with: options }) {
      const lock = await one.caches.locks.acquire(mode.keys, options({ lease: TERM_MS }))
      lock.renewFor(0)
      const next = watch(
        other.caches.locks.acquire(mode.keys, { ...mode.rival, wait: PATIENCE_MS }),
      )
      while (lock.remainingMs() > 0) {
        expect(next.state).toBe('pending')
        await aTurn()
      }
      expect(lock.signal.aborted).toBe(true)
      await eventually('the next one has it', async () => next.state === 'resolved')
    },
  },
  {
    name: 'is given back by a manager that closes',
    closes: true,
    async run({ mode, one, other, with: options }) {
      const lock = await one.caches.locks.acquire(mode.keys, options({ lease: '1m' }))
      await one.caches.close()
      expect(lock.signal.aborted).toBe(true)
      const next: Lock = await other.caches.locks.acquire(mode.keys, {
        wait: PATIENCE_MS,
        ...mode.rival,
      })
      expect(await next.release()).toBe(true)
    },
  },
  {
    name: 'serves those who wait in the order they came',
    exempt: ({ isInOrder, most }) => {
      if (isInOrder) return undefined
      return most === 1 ? 'a quorum has no queue' : 'several are inside at once'
    },
    async run({ mode, one, with: options }) {
      const { locks } = one.caches
      const held = await locks.acquire(mode.keys, options())
      const order: number[] = []
      const waiting = [1, 2, 3, 4, 5].map(async (n) => {
        await locks.run(mode.keys, options(), () => {
          order.push(n)
        })
      })
      await eventually(
        'they wait',
        async () => (await one.provider.inspect(mode.keys[0] ?? '')).waiting > 0,
      )
      await held.release()
      await Promise.all(waiting)
      expect(order).toEqual([1, 2, 3, 4, 5])
    },
  },
]

/** The store forgets who holds. */
async function forget({ keys, options }: Mode, { provider }: End): Promise<void> {
  const mode = options.permits === undefined ? (options.mode ?? 'write') : 'permit'
  for (const name of keys) {
    for (const { owner } of (await provider.inspect(name)).holders) {
      await provider.leave({ name, mode, owner, weight: options.weight })
    }
  }
}

async function isFree({ keys }: Mode, { provider }: End): Promise<void> {
  for (const name of keys) {
    await eventually(`${name} is free`, async () => {
      const { holders, waiting } = await provider.inspect(name)
      return holders.length === 0 && waiting === 0
    })
  }
}

describe.each(MODES)('$name', (mode) => {
  for (const { name, exempt, closes = false, run } of PROMISES) {
    const reason = exempt?.(mode)
    if (reason === undefined) it(name, () => run(start(mode, closes)), 60_000)
    else it.skip(`${name}: ${reason}`)
  }
})
