/** The limits of handlers: what decorators say of each class and method, and the guard that decides, made once for each handler. */

import { createHash } from 'node:crypto'
import { type CacheManager, InvalidOptionError, ipKey } from '@larder/core'
import { INTERNALS, resolveLimiter } from '@larder/core/store'
import {
  HiddenAddresses,
  LimitGuard,
  readsAddress,
  trustError,
  trustInFastify,
  trustsEverybody,
  trustsInExpress,
} from '@larder/plugins/http'
import { type ExecutionContext, Inject } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { RATE_LIMITS, type SaidLimit } from './rate-limit.ts'
import type { HandlerCall } from './rate-limit-call.ts'
import { CACHES } from './tokens.ts'

/** A class with handlers, as Nest names it. */
export type HandlerClass = abstract new (...args: never) => unknown

/** A handler that is called. */
export interface Handler {
  readonly owner: HandlerClass
  // As Nest's types say it.
  readonly method: ReturnType<ExecutionContext['getHandler']>
}

/** A limit of a handler. */
export interface HandlerLimit {
  readonly where: string
  readonly guard: LimitGuard<HandlerCall<unknown>>
  readonly refundsByStatus: boolean
  /** Where the platform trusts every proxy, so that clients choose their address, and `trustsAnyProxy` does not allow it. */
  readonly hidden: HiddenAddresses | undefined
}

/** How messages name that of either platform. */
const TRUST_SETTING = "'trust proxy' or trustProxy"

const MOST_NAME = 64
const UNFIT_FOR_NAME = /[^A-Za-z0-9_.-]/g
const DIGEST_LENGTH = 12

/** One for an application. */
export class RateLimits {
  static {
    Inject(CACHES)(RateLimits, undefined, 0)
    Inject(HttpAdapterHost)(RateLimits, undefined, 1)
  }

  readonly #caches: CacheManager
  readonly #host: HttpAdapterHost
  readonly #known = new WeakMap<HandlerClass, Map<SaidLimit, HandlerLimit>>()
  /** Names of limiters that are made of names of classes and methods. */
  readonly #named = new Set<string>()
  /** Nest passes one context to all guards of a call. So a call on which this guard runs twice counts once. */
  readonly #counted = new WeakSet<object>()

  constructor(caches: CacheManager, host: HttpAdapterHost) {
    this.#caches = caches
    this.#host = host
  }

  /** True at the first question about a call. */
  isNew(context: object): boolean {
    if (this.#counted.has(context)) return false
    this.#counted.add(context)
    return true
  }

  /** Returns the limits of a handler, in the order in which they are asked. @throws InvalidOptionError */
  of({ owner, method }: Handler): readonly HandlerLimit[] {
    const ofMethod = saidBy(method)
    const said = ofMethod ?? saidBy(owner) ?? []
    const name = ofMethod === undefined ? owner.name : `${owner.name}.${method.name}`
    return said.map((one, i) => this.#limit(owner, one, i === 0 ? name : `${name}.${i + 1}`))
  }

  #limit(owner: HandlerClass, said: SaidLimit, name: string): HandlerLimit {
    const ofClass = this.#known.get(owner) ?? new Map<SaidLimit, HandlerLimit>()
    const limit = ofClass.get(said) ?? this.#make(said, name)
    ofClass.set(said, limit)
    this.#known.set(owner, ofClass)
    return limit
  }

  #make(said: SaidLimit, name: string): HandlerLimit {
    const where = `@RateLimit(${name})`
    const { limiter: options, settings, trustsAnyProxy } = said
    if (options.name === undefined) this.#assertFree(name, where)
    const distrustsAddress = !trustsAnyProxy && this.#believesAnybody()
    if (distrustsAddress && readsAddress(settings.key)) throw trustError(where, TRUST_SETTING)
    const resolved = resolveLimiter({ ...options, name: options.name ?? fitName(name) }, { where })
    const limiter = this.#internals(where).limiter(resolved)
    const guard = new LimitGuard<HandlerCall<unknown>>(
      { ...settings, limiter },
      { where, addressKey: (call) => addressKey(call, where) },
    )
    if (options.name === undefined) this.#named.add(name)
    const hidden = distrustsAddress ? new HiddenAddresses(where, TRUST_SETTING) : undefined
    return { where, guard, refundsByStatus: settings.refundIf !== undefined, hidden }
  }

  /** Two classes of one name would share what they count, and so would two methods whose names a wrapper has removed. */
  #assertFree(name: string, where: string): void {
    if (!this.#named.has(name)) return
    const expected = 'a name, because another class has this name, or another method of the class'
    throw new InvalidOptionError({ option: `${where}.name`, expected, received: undefined })
  }

  /** @throws InvalidOptionError when a test has put something else in the place of the manager */
  #internals(where: string): CacheManager[typeof INTERNALS] {
    const internals = (this.#caches as Partial<CacheManager> | undefined)?.[INTERNALS]
    if (internals !== undefined) return internals
    const expected = 'a manager of createCacheManager as CACHES'
    throw new InvalidOptionError({ option: where, expected, received: this.#caches })
  }

  /** False for an application context, and for an application that is only a microservice. */
  get servesHttp(): boolean {
    return ((this.#host.httpAdapter as unknown) ?? undefined) !== undefined
  }

  #believesAnybody(): boolean {
    if (!this.servesHttp) return false
    const adapter = this.#host.httpAdapter
    const app = adapter.getInstance<object>()
    const isFastify = adapter.getType() === 'fastify'
    return (isFastify ? [trustInFastify(app)] : trustsInExpress(app)).some(trustsEverybody)
  }
}

function saidBy(holder: object): readonly SaidLimit[] | undefined {
  return Reflect.getMetadata(RATE_LIMITS, holder) as readonly SaidLimit[] | undefined
}

function addressKey({ kind, ip }: HandlerCall<unknown>, where: string): string {
  if (kind === 'http' || ip !== undefined) return ipKey(ip)
  throw new InvalidOptionError({
    option: `${where}.key`,
    expected: `a function that says whom a call counts for, because a call of kind ${kind} has no address here`,
    received: undefined,
  })
}

/** Makes a name usable as that of a limiter; a changed one gets a digest, so that it stays unique. */
function fitName(name: string): string {
  const fit = name.replace(UNFIT_FOR_NAME, '_')
  if (fit === name && fit.length <= MOST_NAME) return fit
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH)
  return `${fit.slice(0, MOST_NAME - 1 - DIGEST_LENGTH)}-${digest}`
}
