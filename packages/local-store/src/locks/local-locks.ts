/** Locks within this process, with the semantics of the shared ones. */

import type { LockState } from '@larder/core'
import {
  type AcquireReply,
  type AcquireRequest,
  assertClock,
  assertKnownOptions,
  type Clock,
  type LockCapabilities,
  type LockProvider,
  type LockTarget,
  optionNames,
  type WakeListener,
} from '@larder/core/store'
import { LocalProvider } from '../local-provider.ts'
import { LockTable } from './lock-table.ts'

export interface LocalLocksOptions {
  /** Source of time; for tests. Locks with their own clock belong to one manager. */
  readonly clock?: Clock | undefined
}

const NAMES = optionNames<LocalLocksOptions>({ clock: true })
const US_PER_MS = 1_000

/**
 * Creates a lock provider that excludes within this process only, for all managers of one namespace together: queue, terms,
 * fences and modes work as in Redis. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', locks: localLocks() })
 */
export function localLocks(options: LocalLocksOptions = {}): LockProvider {
  assertKnownOptions(options, NAMES, 'localLocks')
  if (options.clock !== undefined) assertClock(options.clock, 'localLocks.clock')
  return new LocalLocks(options.clock)
}

class LocalLocks
  extends LocalProvider<LockTable, Pick<LockProvider, 'onWake'>>
  implements LockProvider
{
  readonly capabilities: LockCapabilities = {
    shared: false,
    queues: true,
    replicas: false,
    modes: ['write', 'read', 'permit'],
    weights: true,
  }
  onWake: WakeListener | undefined
  readonly #clock: Clock | undefined

  constructor(clock: Clock | undefined) {
    super({
      kind: 'locks',
      isOwn: clock !== undefined,
      // Owners are unique in a process; a user ignores owners it does not know.
      make: (users) =>
        new LockTable((owner) => {
          for (const { onWake } of users) onWake?.(owner)
        }),
    })
    this.#clock = clock
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    return this.table.acquire(request, this.#nowUs())
  }

  async renew(target: LockTarget, termMs: number): Promise<boolean> {
    return this.table.renew(target, termMs, this.#nowUs())
  }

  async release(target: LockTarget): Promise<boolean> {
    return this.table.release(target, this.#nowUs())
  }

  async leave(target: LockTarget): Promise<void> {
    this.table.leave(target, this.#nowUs())
  }

  async inspect(name: string): Promise<LockState> {
    return this.table.inspect(name, this.#nowUs())
  }

  override close(): Promise<void> {
    this.onWake = undefined
    return super.close()
  }

  /** The wall clock as it was at the start, and monotonic from then on, so that fences also rise across restarts. */
  #nowUs(): number {
    const ms = this.#clock?.now() ?? performance.timeOrigin + performance.now()
    return Math.floor(ms * US_PER_MS)
  }
}
