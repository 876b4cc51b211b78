/** The conformance suite of lock providers: on real time, with terms either long, or so short that they end meanwhile. */

import assert from 'node:assert/strict'
import type {
  AcquireReply,
  AcquireRequest,
  LockMode,
  LockProvider,
} from '../../contracts/lock-provider.ts'
import { type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'
import { eventually } from './patience.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface LocksUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly locks: readonly [LockProvider, LockProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeLocks = () => LocksUnderTest | Promise<LocksUnderTest>

type Ends = readonly [LockProvider, LockProvider]

interface LockCase {
  readonly name: string
  /** Skipped where the provider does not know one of these. */
  readonly modes?: readonly LockMode[]
  readonly isAboutQueues?: boolean
  run(ends: Ends): Promise<void>
}

const LEASE_MS = 60_000
const SHORT_MS = 60
const HEARTBEAT_MS = 500

const CASES: readonly LockCase[] = [
  {
    name: 'grants a free lock, and nobody else while it is held',
    async run([one, other]) {
      assert.equal((await one.acquire(request('a'))).kind, 'granted')
      const held = await other.acquire(request('b'))
      assert.equal(held.kind, 'held')
      assert(held.retryInMs > 0, 'it says when to ask again')
      assert.equal((await other.acquire(request('b', { name: 'another' }))).kind, 'granted')
    },
  },
  {
    name: 'takes each name for itself, whatever it is made of',
    async run([one]) {
      for (const name of ['k', 'k:fence', 'k}', '{k', 'k}:queue', 'ü ☃', ' ']) {
        assert.equal((await one.acquire(request('a', { name }))).kind, 'granted', name)
      }
    },
  },
  {
    name: 'is not confused by a request that comes twice',
    async run([one, other]) {
      const first = await granted(one, request('a'))
      assert.equal(await granted(one, request('a')), first)
      assert.equal((await one.inspect(NAME)).holders.length, 1)
      assert.equal(await one.release(request('a')), true)
      assert.equal(await one.release(request('a')), false)
      assert.equal((await other.acquire(request('b'))).kind, 'granted')
    },
  },
  {
    name: 'gives fences that rise with every grant',
    async run([one, other]) {
      let last = 0
      for (let n = 0; n < 10; n++) {
        const end = n % 2 === 0 ? one : other
        const fence = await granted(end, request(`o${n}`))
        assert(Number.isSafeInteger(fence) && fence > last, `${fence} is not above ${last}`)
        last = fence
        await end.release(request(`o${n}`))
      }
    },
  },
  {
    name: 'ends a hold that is not renewed, and does not renew one that has ended',
    async run([one, other]) {
      await granted(one, request('a', { termMs: SHORT_MS }))
      const next = await eventually('the hold has ended', async () => {
        const reply = await other.acquire(request('b'))
        return reply.kind === 'granted' ? reply : undefined
      })
      assert(next.fence > 0)
      assert.equal(await one.renew(request('a'), LEASE_MS), false)
      assert.equal(await one.release(request('a')), false)
      assert.equal((await other.inspect(NAME)).holders.length, 1)
    },
  },
  {
    name: 'keeps a hold that is renewed',
    async run([one, other]) {
      await granted(one, request('a', { termMs: 400 }))
      assert.equal(await one.renew(request('a'), LEASE_MS), true)
      const { holders } = await one.inspect(NAME)
      assert((holders[0]?.remainingMs ?? 0) > 1_000, 'the long term applies now')
      assert.equal((await other.acquire(request('b'))).kind, 'held')
    },
  },
  {
    name: 'lets nobody release, renew or leave in the name of another',
    async run([one, other]) {
      await granted(one, request('a'))
      assert.equal(await other.release(request('b')), false)
      assert.equal(await other.renew(request('b'), LEASE_MS), false)
      await other.leave(request('b'))
      assert.equal((await other.acquire(request('c'))).kind, 'held')
    },
  },
  {
    name: 'takes back, by leave, a grant that its owner never saw',
    async run([one, other]) {
      await granted(one, request('a'))
      await one.leave(request('a'))
      assert.equal((await other.acquire(request('b'))).kind, 'granted')
    },
  },
  {
    name: 'serves waiters in the order they came, and nobody past them',
    isAboutQueues: true,
    async run([one, other]) {
      await granted(one, request('a'))
      assert.deepEqual(await positionOf(other, waiting('b')), 0)
      assert.deepEqual(await positionOf(one, waiting('c')), 1)
      await one.release(request('a'))
      assert.equal((await one.acquire(waiting('c'))).kind, 'held')
      assert.equal((await one.acquire(request('d'))).kind, 'held')
      assert.equal((await other.acquire(waiting('b'))).kind, 'granted')
    },
  },
  {
    name: 'wakes who is next when a lock becomes free',
    isAboutQueues: true,
    async run([one, other]) {
      const woken: (string | undefined)[] = []
      other.onWake = (owner) => woken.push(owner)
      let tries = 0
      await eventually('a wake-up came', async () => {
        if (woken.includes('b')) return true
        // Another lock each time: the first wake-ups may come before the provider listens.
        tries += 1
        const name = `${NAME}:${tries}`
        await granted(one, request('a', { name }))
        await other.acquire(waiting('b', { name, heartbeatMs: 5_000 }))
        await one.release(request('a', { name }))
        return false
      })
    },
  },
  {
    name: 'drops a waiter that shows no sign of life',
    isAboutQueues: true,
    async run([one, other]) {
      await granted(one, request('a'))
      await other.acquire(waiting('dead', { heartbeatMs: SHORT_MS }))
      await one.release(request('a'))
      await eventually('the next is let in', async () => {
        return (await one.acquire(waiting('b'))).kind === 'granted'
      })
    },
  },
  {
    name: 'lets readers in together, and writers alone',
    modes: ['read', 'write'],
    async run([one, other]) {
      await granted(one, request('a', { mode: 'read' }))
      await granted(other, request('b', { mode: 'read' }))
      assert.equal((await one.acquire(request('c'))).kind, 'held')
      await one.release(request('a', { mode: 'read' }))
      await other.release(request('b', { mode: 'read' }))
      await granted(one, request('c'))
      assert.equal((await other.acquire(request('d', { mode: 'read' }))).kind, 'held')
    },
  },
  {
    name: 'gives as many permits as there are',
    modes: ['permit'],
    async run([one, other]) {
      const permit = (owner: string): AcquireRequest =>
        request(owner, { mode: 'permit', permits: 2 })
      await granted(one, permit('a'))
      await granted(other, permit('b'))
      assert.equal((await one.acquire(permit('c'))).kind, 'held')
      assert.equal(await one.release(permit('a')), true)
      await granted(one, permit('c'))
    },
  },
]

const NAME = 'order:7'

/**
 * Lists what every lock provider must do, each on providers of its own.
 *
 * @example
 * runCases(lockCases(() => ({ locks: [make(), make()], namespace: 'test' })), { test })
 */
export function lockCases(make: MakeLocks): readonly ConformanceCase[] {
  return CASES.map(({ name, modes = ['write'], isAboutQueues = false, run }) => ({
    name,
    async run() {
      const { locks, namespace, cleanup } = await make()
      const [one] = locks
      const missing = modes.find((mode) => !one.capabilities.modes.includes(mode))
      try {
        if (missing !== undefined) return skippedFor(`${one.name} knows no mode ${missing}`)
        if (isAboutQueues && !one.capabilities.queues) return skippedFor(`${one.name} has no queue`)
        for (const end of locks) end.open(namespace)
        await run(locks)
        return PASSED
      } finally {
        await Promise.all(locks.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}

function request(owner: string, changes: Partial<AcquireRequest> = {}): AcquireRequest {
  const usual = { name: NAME, mode: 'write' as const, permits: 1, termMs: LEASE_MS }
  return { ...usual, owner, heartbeatMs: 0, replicas: undefined, ...changes }
}

function waiting(owner: string, changes: Partial<AcquireRequest> = {}): AcquireRequest {
  return request(owner, { heartbeatMs: HEARTBEAT_MS, ...changes })
}

async function granted(end: LockProvider, wanted: AcquireRequest): Promise<number> {
  const reply: AcquireReply = await end.acquire(wanted)
  assert.equal(reply.kind, 'granted')
  return reply.kind === 'granted' ? reply.fence : 0
}

async function positionOf(end: LockProvider, wanted: AcquireRequest): Promise<number> {
  const reply = await end.acquire(wanted)
  assert.equal(reply.kind, 'held')
  return reply.kind === 'held' ? reply.position : -1
}
