/** Locks on Redis. Every step is one script on the server's clock; lua/lock-*.lua says what each does. */

import { randomBytes } from 'node:crypto'
import { type LockReplicas, type LockState, StoreKeyError } from '@larder/core'
import type {
  AcquireReply,
  AcquireRequest,
  LockCapabilities,
  LockProvider,
  LockTarget,
  WakeListener,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf, textOf } from '../commands/replies.ts'
import { TickBatch } from '../commands/tick-batch.ts'
import type { Subscriber } from '../connection/subscriber.ts'
import { inboxName, type KeysOfLock, lockKeys } from '../key-layout.ts'
import {
  isClusterTarget,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { awaitReplicas, ReplicasError } from './await-replicas.ts'
import { memberOf, ownerOf } from './lock-member.ts'
import { given, readAcquireReplies, readReleaseReplies } from './lock-replies.ts'

const INBOX_BYTES = 9
/** A longer script keeps other clients waiting; a shorter one has the server wait for this process. */
const LOCKS_PER_SCRIPT = 16

/**
 * Creates a lock provider on a Redis of its own, apart from that of the cache: for a server without eviction, or for
 * `quorumLocks`. `redisStore` has one already for its own server.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', locks: redisLocks({ url: process.env.LOCKS_URL }) })
 */
export function redisLocks(options: RedisStoreOptions): LockProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisLocks({ backend, options: resolved, ownsBackend: true })
}

export class RedisLocks extends BackedProvider implements LockProvider {
  readonly capabilities: LockCapabilities = {
    shared: true,
    queues: true,
    replicas: true,
    modes: ['write', 'read', 'permit'],
    weights: true,
  }
  onWake: WakeListener | undefined
  readonly #options: ResolvedRedisStoreOptions
  readonly #subscriber: Subscriber
  readonly #inboxId = randomBytes(INBOX_BYTES).toString('base64url')
  readonly #acquires: TickBatch<AcquireRequest, AcquireReply>
  readonly #releases: TickBatch<LockTarget, boolean>
  #replicated: Backend | undefined
  #hasInbox = false

  constructor(parts: BackedParts) {
    super(parts, 'locks')
    this.#options = parts.options
    this.#subscriber = parts.backend.subscriber
    // In a Cluster the keys of one script must be on one server.
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

  async acquire(request: AcquireRequest): Promise<AcquireReply> {
    const { replicas } = request
    if (replicas === undefined) {
      const reply = await this.#acquires.add(request)
      if (reply.kind === 'held' && request.heartbeatMs > 0) this.#openInbox()
      return reply
    }
    const backend = this.#replicatedBackend()
    const [answer] = await this.#acquireAll(backend, [request], false)
    const reply = given(answer as AcquireReply | Error)
    if (reply.kind === 'granted') await this.#replicate(backend, request, replicas)
    else if (request.heartbeatMs > 0) this.#openInbox()
    return reply
  }

  async renew(target: LockTarget, termMs: number): Promise<boolean> {
    const [isHeld] = await this.run({
      script: 'lockRenew',
      keys: [this.#keys(target.name).lock],
      args: [memberOf(target), Math.ceil(termMs), this.now],
    })
    return isHeld === 1
  }

  release(target: LockTarget): Promise<boolean> {
    return this.#releases.add(target)
  }

  async leave(target: LockTarget): Promise<void> {
    const { lock, queue, waiters } = this.#keys(target.name)
    await this.run({
      script: 'lockLeave',
      keys: [lock, queue, waiters],
      args: [memberOf(target), this.now],
    })
  }

  async inspect(name: string): Promise<LockState> {
    const { lock, queue } = this.#keys(name)
    const [fence, waiting, ...pairs] = await this.run({
      script: 'lockInspect',
      keys: [lock, queue],
      args: [this.now],
    })
    const holders: { owner: string; remainingMs: number }[] = []
    for (let i = 0; i < pairs.length; i += 2) {
      holders.push({ owner: ownerOf(textOf(pairs[i])), remainingMs: numberOf(pairs[i + 1]) })
    }
    return { holders, fence: numberOf(fence), waiting: numberOf(waiting) }
  }

  async raise(target: LockTarget, fence: number): Promise<boolean> {
    const { lock } = this.#keys(target.name)
    const [isHeld] = await this.run({
      script: 'lockRaise',
      keys: [lock],
      args: [memberOf(target), fence, this.now],
    })
    return isHeld === 1
  }

  override async close(): Promise<void> {
    this.onWake = undefined
    if (this.isOpen) this.#subscriber.forget(inboxName(this.namespace, this.#inboxId))
    await this.#replicated?.close()
    await super.close()
  }

  #keys(name: string): KeysOfLock {
    return lockKeys(this.namespace, name)
  }

  /** WAIT blocks its connection, so these locks have their own. */
  #replicatedBackend(): Backend {
    this.#replicated ??= new Backend(this.#options)
    this.#replicated.open(this.namespace, 'locks')
    return this.#replicated
  }

  /** One script call for all of them. */
  async #acquireAll(
    backend: Backend,
    requests: readonly AcquireRequest[],
    atOnce: boolean,
  ): Promise<readonly (AcquireReply | Error)[]> {
    const inbox = inboxName(this.namespace, this.#inboxId)
    const usual = requests[0] as AcquireRequest
    const args: (string | number)[] = [inbox, this.now, ...commonArgs(usual)]
    const keys: string[] = []
    for (const request of requests) {
      const { lock, queue, waiters } = this.#keys(request.name)
      keys.push(lock, queue, waiters)
      const isUsual =
        request.termMs === usual.termMs &&
        request.permits === usual.permits &&
        request.heartbeatMs === usual.heartbeatMs
      const member = memberOf(request)
      args.push(isUsual ? member : [...commonArgs(request), member].join(','))
    }
    const packed = await backend.runForBytes({ script: 'lockAcquire', keys, args, atOnce })
    return readAcquireReplies(packed, requests.length)
  }

  async #releaseAll(
    targets: readonly LockTarget[],
    atOnce: boolean,
  ): Promise<readonly (boolean | Error)[]> {
    const args: (string | number)[] = [this.now]
    const keys: string[] = []
    for (const target of targets) {
      const { lock, queue, waiters } = this.#keys(target.name)
      keys.push(lock, queue, waiters)
      args.push(memberOf(target))
    }
    const digits = await this.backend.runForBytes({
      script: 'lockRelease',
      keys,
      args,
      atOnce,
    })
    return readReleaseReplies(digits, targets.length)
  }

  /** @throws StoreKeyError, with a ReplicasError as its cause, after giving the lock back */
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
      throw error instanceof ReplicasError ? new StoreKeyError('locks.replicate', error) : error
    }
  }

  /** One subscription for all locks of the process, made at the first wait. */
  #openInbox(): void {
    if (this.#hasInbox) return
    this.#hasInbox = true
    this.#subscriber.listen(inboxName(this.namespace, this.#inboxId), {
      onPayload: (member) => this.onWake?.(ownerOf(member.toString('utf8'))),
      onUp: () => this.onWake?.(),
      onDown: () => undefined,
    })
  }
}

/** What usually is the same for all locks of one script. */
function commonArgs({ termMs, permits, heartbeatMs }: AcquireRequest): readonly number[] {
  return [Math.ceil(termMs), permits, Math.ceil(heartbeatMs)]
}

function nameOf({ name }: LockTarget): string {
  return name
}
