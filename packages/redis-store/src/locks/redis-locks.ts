/** Locks on Redis. Every step is one script on the server's clock; what each does is said in lua/lock-*.lua. */

import { randomBytes } from 'node:crypto'
import type {
  AcquireReply,
  AcquireRequest,
  LockCapabilities,
  LockProvider,
  LockReplicas,
  LockState,
  LockTarget,
  WakeListener,
} from '@larder/core'
import { Backend, type TroubleListener } from '../backend.ts'
import { inboxName, type LockKeys, lockKeys } from '../key-layout.ts'
import {
  isClusterTarget,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { numberOf, textOf } from '../replies.ts'
import type { Subscriber } from '../subscriber.ts'
import { TickBatch } from '../tick-batch.ts'
import { awaitReplicas } from './await-replicas.ts'

/**
 * A lock is remembered this long after its last grant, with its fence. Longer than any hold, which is 30 days at most; and
 * fences follow the clock, so that forgetting one does no harm.
 */
const LOCK_LIFE_MS = 31 * 24 * 3_600_000
const INBOX_BYTES = 9
/** A longer script keeps other clients waiting; a shorter one has the server wait for this process. */
const LOCKS_PER_SCRIPT = 16
const DOUBLE_BYTES = 8
const ACQUIRE_REPLY_BYTES = 3 * DOUBLE_BYTES
const DIGIT_ONE = 0x31
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
  const backend = new Backend(resolved)
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
  readonly #acquires: TickBatch<AcquireRequest, AcquireReply>
  readonly #releases: TickBatch<LockTarget, boolean>
  #replicated: Backend | undefined
  #namespace: string | undefined
  #hasInbox = false

  constructor(parts: RedisLocksParts) {
    this.#parts = parts
    this.#subscriber = parts.backend.subscriber
    // In a Cluster the keys of one script have to be on one server.
    const groupOf = isClusterTarget(parts.options.target) ? nameOf : undefined
    this.#acquires = new TickBatch<AcquireRequest, AcquireReply>({
      run: (requests, isFull) => this.#acquireAll(parts.backend, requests, isFull),
      most: LOCKS_PER_SCRIPT,
      groupOf,
    })
    this.#releases = new TickBatch({
      run: (targets, isFull) => this.#releaseAll(targets, isFull),
      most: LOCKS_PER_SCRIPT,
      groupOf,
    })
  }

  onTrouble(listener: TroubleListener): void {
    this.#parts.backend.onTrouble = listener
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#parts.backend.open(namespace, 'locks')
  }

  whenTried(): Promise<void> {
    return this.#parts.backend.whenTried()
  }

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const { replicas } = request
    if (replicas === undefined) {
      const reply = await this.#acquires.add(request)
      if (reply.kind === 'held' && request.heartbeatMs > 0) this.#openInbox()
      return reply
    }
    const backend = this.#replicatedBackend()
    const [reply] = await this.#acquireAll(backend, [request], false)
    if (reply?.kind === 'granted') await this.#replicate(backend, request, replicas)
    return reply as AcquireReply
  }

  async renew(target: LockTarget, leaseMs: number): Promise<boolean> {
    const [isHeld] = await this.#parts.backend.run({
      script: 'lockRenew',
      keys: [this.#keys(target.name).lock],
      args: [memberOf(target), Math.ceil(leaseMs), this.#now],
    })
    return isHeld === 1
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#releases.add(target)
  }

  async leave(target: LockTarget): Promise<void> {
    const { lock, queue, waiters } = this.#keys(target.name)
    await this.#parts.backend.run({
      script: 'lockLeave',
      keys: [lock, queue, waiters],
      args: [memberOf(target), this.#now],
    })
  }

  async inspect(name: string): Promise<LockState> {
    const { lock, queue } = this.#keys(name)
    const [fence, waiting, ...pairs] = await this.#parts.backend.run({
      script: 'lockInspect',
      keys: [lock, queue],
      args: [this.#now],
    })
    const holders: { owner: string; remainingMs: number }[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      holders.push({ owner: textOf(pairs[i]).slice(1), remainingMs: numberOf(pairs[i + 1]) })
    }
    return { holders, fence: numberOf(fence), waiting: numberOf(waiting) }
  }

  async raise(target: LockTarget, fence: number): Promise<boolean> {
    const { lock } = this.#keys(target.name)
    const [isHeld] = await this.#parts.backend.run({
      script: 'lockRaise',
      keys: [lock],
      args: [memberOf(target), fence, this.#now],
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
    this.#replicated ??= new Backend(this.#parts.options)
    this.#replicated.open(this.#openNamespace, 'locks')
    return this.#replicated
  }

  /** One script call for all of them. */
  async #acquireAll(
    backend: Backend,
    requests: readonly AcquireRequest[],
    atOnce: boolean,
  ): Promise<readonly AcquireReply[]> {
    const inbox = inboxName(this.#openNamespace, this.#inboxId)
    const usual = requests[0] as AcquireRequest
    const args: (string | number)[] = [inbox, LOCK_LIFE_MS, this.#now, ...termsOf(usual)]
    const keys: string[] = []
    for (const request of requests) {
      const { lock, queue, waiters } = this.#keys(request.name)
      keys.push(lock, queue, waiters)
      const isUsual =
        request.leaseMs === usual.leaseMs &&
        request.permits === usual.permits &&
        request.heartbeatMs === usual.heartbeatMs
      const member = memberOf(request)
      args.push(isUsual ? member : [...termsOf(request), member].join(','))
    }
    const packed = await backend.runForBytes({ script: 'lockAcquire', keys, args, atOnce })
    return requests.map((_, i) => readAcquireReply(packed, i * ACQUIRE_REPLY_BYTES))
  }

  async #releaseAll(targets: readonly LockTarget[], atOnce: boolean): Promise<readonly boolean[]> {
    const args: (string | number)[] = [this.#now]
    const keys: string[] = []
    for (const target of targets) {
      const { lock, queue, waiters } = this.#keys(target.name)
      keys.push(lock, queue, waiters)
      args.push(memberOf(target))
    }
    const digits = await this.#parts.backend.runForBytes({
      script: 'lockRelease',
      keys,
      args,
      atOnce,
    })
    return targets.map((_, i) => digits[i] === DIGIT_ONE)
  }

  /** @throws ReplicasError after giving the lock back */
  async #replicate(
    backend: Backend,
    request: AcquireRequest,
    replicas: LockReplicas,
  ): Promise<void> {
    try {
      const client = await backend.connected('wait')
      await awaitReplicas(client, this.#keys(request.name).lock, replicas)
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

function memberOf({ mode, owner }: LockTarget): string {
  return MODE_LETTERS[mode] + owner
}

/** What is mostly the same for all locks of one script. */
function termsOf({ leaseMs, permits, heartbeatMs }: AcquireRequest): readonly number[] {
  return [Math.ceil(leaseMs), permits, Math.ceil(heartbeatMs)]
}

function nameOf({ name }: LockTarget): string {
  return name
}

function readAcquireReply(packed: Buffer, at: number): AcquireReply {
  const detail = packed.readDoubleBE(at + DOUBLE_BYTES)
  if (packed.readDoubleBE(at) === 1) return { kind: 'granted', fence: detail }
  const position = packed.readDoubleBE(at + 2 * DOUBLE_BYTES)
  return { kind: 'held', retryInMs: detail, position }
}
