/** Locks on Redis. Every step is one script on the server's clock; what each does is said in lua/lock-*.lua. */

import { randomBytes } from 'node:crypto'
import type {
  AcquireReply,
  AcquireRequest,
  LockCapabilities,
  LockProvider,
  LockState,
  LockTarget,
  WakeListener,
} from '@larder/core'
import { Backend } from '../backend.ts'
import { inboxName, type LockKeys, lockKeys } from '../key-layout.ts'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { numberOf, textOf } from '../replies.ts'
import type { Subscriber } from '../subscriber.ts'
import { awaitReplicas } from './await-replicas.ts'

/** A fence is remembered this long after the last grant. It also follows the clock, so that forgetting it does no harm. */
const FENCE_LIFE_MS = 7 * 24 * 3_600_000
const INBOX_BYTES = 9
const MODE_LETTERS = { write: 'w', read: 'r', permit: 'p' } as const

/**
 * Creates a lock provider on a Redis of its own, apart from the cache's: for a server without eviction, or for
 * `quorumLocks`. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', locks: redisLocks({ url: process.env.LOCKS_URL }) })
 */
export function redisLocks(options: RedisStoreOptions): LockProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved, () => undefined)
  return new RedisLocks({ backend, options: resolved, ownsBackend: true })
}

export interface RedisLocksParts {
  readonly backend: Backend
  /** For the second connection that locks with `replicas` need. */
  readonly options: ResolvedRedisStoreOptions
  /** Closes the backend with itself. */
  readonly ownsBackend: boolean
  /** What a test says the server's clock is, µs. */
  readonly nowUs?: () => number
}

export class RedisLocks implements LockProvider {
  readonly name = 'redis'
  readonly capabilities: LockCapabilities = {
    shared: true,
    queues: true,
    replicas: true,
    modes: ['write', 'read', 'permit'],
  }
  onWake: WakeListener | undefined
  readonly #parts: RedisLocksParts
  readonly #subscriber: Subscriber
  readonly #inboxId = randomBytes(INBOX_BYTES).toString('base64url')
  #replicated: Backend | undefined
  #namespace: string | undefined
  #hasInbox = false

  constructor(parts: RedisLocksParts) {
    this.#parts = parts
    this.#subscriber = parts.backend.subscriber
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#parts.backend.open()
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const { name, replicas } = request
    const keys = this.#keys(name)
    const backend = replicas === undefined ? this.#parts.backend : this.#replicatedBackend()
    const [isGranted, detail, position] = await backend.run({
      script: 'lockAcquire',
      keys: [keys.holders, keys.fence, keys.queue, keys.waiters],
      args: [
        ...memberOf(request),
        Math.ceil(request.leaseMs),
        request.permits,
        Math.ceil(request.heartbeatMs),
        inboxName(this.#openNamespace, this.#inboxId),
        FENCE_LIFE_MS,
        this.#now,
      ],
    })
    if (isGranted !== 1) {
      if (request.heartbeatMs > 0) this.#openInbox()
      return { kind: 'held', retryInMs: numberOf(detail), position: numberOf(position) }
    }
    if (replicas !== undefined) await this.#replicate(backend, keys, request)
    return { kind: 'granted', fence: numberOf(detail) }
  }

  async renew(target: LockTarget, leaseMs: number): Promise<boolean> {
    const [isHeld] = await this.#parts.backend.run({
      script: 'lockRenew',
      keys: [this.#keys(target.name).holders],
      args: [...memberOf(target), Math.ceil(leaseMs), this.#now],
    })
    return isHeld === 1
  }

  async release(target: LockTarget): Promise<boolean> {
    const { holders, queue, waiters } = this.#keys(target.name)
    const [wasHeld] = await this.#parts.backend.run({
      script: 'lockRelease',
      keys: [holders, queue, waiters],
      args: [...memberOf(target), this.#now],
    })
    return wasHeld === 1
  }

  async leave(target: LockTarget): Promise<void> {
    const { holders, queue, waiters } = this.#keys(target.name)
    await this.#parts.backend.run({
      script: 'lockLeave',
      keys: [holders, queue, waiters],
      args: [...memberOf(target), this.#now],
    })
  }

  async inspect(name: string): Promise<LockState> {
    const { holders: key, fence: fenceKey, queue } = this.#keys(name)
    const [fence, waiting, ...pairs] = await this.#parts.backend.run({
      script: 'lockInspect',
      keys: [key, fenceKey, queue],
      args: [this.#now],
    })
    const holders: { owner: string; remainingMs: number }[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      holders.push({ owner: textOf(pairs[i]).slice(1), remainingMs: numberOf(pairs[i + 1]) })
    }
    return { holders, fence: numberOf(fence), waiting: numberOf(waiting) }
  }

  async raise(target: LockTarget, fence: number): Promise<boolean> {
    const { holders, fence: fenceKey } = this.#keys(target.name)
    const [isHeld] = await this.#parts.backend.run({
      script: 'lockRaise',
      keys: [holders, fenceKey],
      args: [...memberOf(target), fence, FENCE_LIFE_MS, this.#now],
    })
    return isHeld === 1
  }

  async close(): Promise<void> {
    this.onWake = undefined
    if (this.#namespace !== undefined)
      this.#subscriber.forget(inboxName(this.#namespace, this.#inboxId))
    await this.#replicated?.close()
    if (this.#parts.ownsBackend) await this.#parts.backend.close()
  }

  get #openNamespace(): string {
    if (this.#namespace === undefined) throw new Error('The Redis locks are not open')
    return this.#namespace
  }

  get #now(): number | string {
    return this.#parts.nowUs?.() ?? ''
  }

  #keys(name: string): LockKeys {
    return lockKeys(this.#openNamespace, name)
  }

  /** WAIT blocks its connection, so these have one to themselves. */
  #replicatedBackend(): Backend {
    this.#replicated ??= new Backend(this.#parts.options, () => undefined)
    this.#replicated.open()
    return this.#replicated
  }

  /** @throws ReplicasError after giving the lock back */
  async #replicate(backend: Backend, keys: LockKeys, request: AcquireRequest): Promise<void> {
    if (request.replicas === undefined) return
    try {
      const client = await backend.connected('wait')
      await awaitReplicas(client, keys.holders, request.replicas)
    } catch (error) {
      await this.release(request)
      throw error
    }
  }

  /** One subscription for all locks of the process, from the first wait on. */
  #openInbox(): void {
    if (this.#hasInbox) return
    this.#hasInbox = true
    this.#subscriber.listen(inboxName(this.#openNamespace, this.#inboxId), {
      onPayload: (member) => this.onWake?.(member.toString('utf8', 1)),
      onUp: () => this.onWake?.(),
      onDown: () => undefined,
    })
  }
}

function memberOf({ mode, owner }: LockTarget): readonly [mode: string, owner: string] {
  return [MODE_LETTERS[mode], owner]
}
