/** A quorum over stores that answer at different times, or not at all; each answer is in the test's hands. */

import { createCacheManager, LockUnavailableError, quorumLocks } from '@larder/core'
import type { LockProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localLocks } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'
import { altered, watch } from './support/stage.ts'

type State = 'near' | 'far' | 'dead' | 'hangs'

/** A store of its own, as near as is said; what is far answers when let. */
class Member {
  readonly provider: LockProvider
  state: State = 'near'
  #waiting: (() => void)[] = []

  constructor(clock: ManualClock) {
    const real = localLocks({ clock })
    const answer = async <Result>(call: () => Promise<Result>): Promise<Result> => {
      if (this.state === 'dead') throw new Error('refused')
      if (this.state === 'hangs') return new Promise<Result>(() => undefined)
      if (this.state === 'far') await new Promise<void>((resolve) => this.#waiting.push(resolve))
      return call()
    }
    this.provider = altered(real, {
      raise: (target) => answer(async () => (await real.renew(target, 1)) === true),
      acquire: (request) => answer(() => real.acquire(request)),
      renew: (target, ms) => answer(() => real.renew(target, ms)),
      release: (target) => answer(() => real.release(target)),
      leave: (target) => answer(() => real.leave(target)),
      inspect: (name) => answer(() => real.inspect(name)),
    })
  }

  /** Lets what is far arrive, later than the patience with those who answer after a decision. */
  async arrive(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 30))
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function setUp() {
  const clock = new ManualClock(1_000_000)
  const members = [1, 2, 3].map(() => new Member(clock)) as [Member, Member, Member]
  const caches = createCacheManager({
    namespace: 'quorum',
    locks: quorumLocks({ providers: members.map(({ provider }) => provider) }),
    clock,
    default: false,
  })
  onTestFinished(async () => {
    for (const member of members) member.state = 'near'
    const closing = caches.close()
    await clock.advanceAsync(2_000)
    await closing
  })
  const settle = async (far: Member, seen: { state: string }): Promise<void> => {
    for (let turn = 0; turn < 20 && seen.state === 'pending'; turn++) {
      await clock.advanceAsync(1)
      await far.arrive()
    }
  }
  return { clock, members, caches, settle }
}

it('is granted by those who are up, however far apart they are', async () => {
  const { members, caches, settle } = setUp()
  members[0].state = 'dead'
  members[2].state = 'far'
  const asked = watch(caches.locks.acquire('a', { wait: '3s' }))
  await settle(members[2], asked)
  expect(asked.state).toBe('resolved')
  const released = watch(asked.value?.release() ?? Promise.reject(new Error('none')))
  await settle(members[2], released)
  expect(released.value).toBe(true)
})

it('is renewed by those who are up, however far apart they are', async () => {
  const { members, caches, settle, clock } = setUp()
  const lock = await caches.locks.acquire('a', { lease: '3s' })
  members[0].state = 'dead'
  members[2].state = 'far'
  const before = lock.remainingMs()
  await clock.advanceAsync(1_000)
  const seen = { state: 'pending' }
  for (let turn = 0; turn < 20 && lock.remainingMs() <= before - 1_000; turn++) {
    await members[2].arrive()
  }
  await settle(members[2], seen)
  expect(lock.signal.aborted).toBe(false)
  expect(lock.remainingMs()).toBeGreaterThan(before - 1_000)
  members[2].state = 'near'
})

it('does not wait for one that hangs', async () => {
  const { members, caches } = setUp()
  members[1].state = 'hangs'
  const lock = await caches.locks.acquire('a', { wait: '3s' })
  expect(await lock.release()).toBe(true)
  await caches.locks.inspect('a')
})

it('is not granted by a minority, whatever the others answer', async () => {
  const { members, caches, clock } = setUp()
  members[0].state = 'dead'
  members[1].state = 'hangs'
  const asked = watch(caches.locks.acquire('a', { wait: '3s' }))
  await clock.advanceAsync(1_000)
  expect(asked.error).toBeInstanceOf(LockUnavailableError)
})

it('is held, and not unavailable, where a majority says so', async () => {
  const { members, caches } = setUp()
  await caches.locks.acquire('a')
  members[0].state = 'dead'
  await expect(caches.locks.acquire('a', { wait: 0 })).rejects.toThrow('stayed held')
})

it('is held, and not unavailable, however far apart those who say so are', async () => {
  const { members, caches, settle } = setUp()
  await caches.locks.acquire('a')
  members[0].state = 'dead'
  members[2].state = 'far'
  const asked = watch(caches.locks.acquire('a', { wait: 0 }))
  await settle(members[2], asked)
  expect(String(asked.error)).toContain('stayed held')
})
