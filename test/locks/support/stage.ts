/** What the lock tests share: a manager on a manual clock, and providers that misbehave. */

import { type CacheManager, createCacheManager } from '@larder/core'
import type { AcquireReply, LockProvider, LockTarget } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { onTestFinished } from 'vitest'

export interface Stage {
  readonly clock: ManualClock
  readonly caches: CacheManager
  readonly provider: LockProvider
}

/** A manager whose locks are in process and whose time stands still. */
export function stage(
  wrap: (provider: LockProvider) => LockProvider = (same) => same,
  clock = new ManualClock(1_000_000),
): Stage {
  const provider = wrap(localLocks({ clock }))
  const caches = createCacheManager({
    namespace: 'shop',
    local: lruStore(),
    locks: provider,
    clock,
    default: false,
  })
  onTestFinished(() => caches.close())
  return { clock, caches, provider }
}

/** Replaces some steps of a provider. */
export function altered(provider: LockProvider, changes: Partial<LockProvider>): LockProvider {
  return new Proxy(provider, {
    get(target, name) {
      const change: unknown = Reflect.get(changes, name)
      const value: unknown = change ?? Reflect.get(target, name, target)
      return typeof value === 'function'
        ? value.bind(change === undefined ? target : changes)
        : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/** Never answers. */
export function hang<Result>(): Promise<Result> {
  return new Promise(() => undefined)
}

export interface Recorded {
  readonly step: 'acquire' | 'renew' | 'release' | 'leave'
  readonly at: number
  readonly target: LockTarget
}

/** Writes down what a provider is asked. */
export function recorded(
  provider: LockProvider,
  clock: ManualClock,
  into: Recorded[],
): LockProvider {
  const note = (step: Recorded['step'], target: LockTarget): void => {
    into.push({ step, at: clock.now(), target })
  }
  return altered(provider, {
    acquire: (request): Promise<AcquireReply> => {
      note('acquire', request)
      return provider.acquire(request)
    },
    renew: (target, termMs) => {
      note('renew', target)
      return provider.renew(target, termMs)
    },
    release: (target) => {
      note('release', target)
      return provider.release(target)
    },
    leave: (target) => {
      note('leave', target)
      return provider.leave(target)
    },
  })
}

/** A promise with its ends in hand. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Tells how a promise stands without waiting for it. */
export function watch<Result>(promise: Promise<Result>): {
  state: 'pending' | 'resolved' | 'rejected'
  error?: unknown
  value?: Result
} {
  const seen: { state: 'pending' | 'resolved' | 'rejected'; error?: unknown; value?: Result } = {
    state: 'pending',
  }
  promise.then(
    (value) => Object.assign(seen, { state: 'resolved', value }),
    (error: unknown) => Object.assign(seen, { state: 'rejected', error }),
  )
  return seen
}
