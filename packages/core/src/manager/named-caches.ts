/** Makes the caches of a manager by name: for `caches.cache(name)`, and for decorated methods. */

import { Cache } from '../cache/cache.ts'
import type { CacheParts } from '../cache/cache-parts.ts'
import { cacheTag } from '../coherence/tag-clock.ts'
import type { MethodCache, MethodDescription } from '../decorators/bound/method-cache.ts'
import { noteReader } from '../decorators/bound/read-names.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { scopePrefix } from '../keys/scope-prefix.ts'
import {
  assertCacheOptions,
  type CacheOptions,
  type Policy,
  resolveCachePolicy,
} from '../options/cache-options.ts'
import { assertName } from '../options/name.ts'
import { CacheWords } from './cache-words.ts'
import type { Engine } from './engine.ts'
import { EngineMethodCache } from './engine-method-cache.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { measureHits } from './measured-hits.ts'
import { providerOf } from './provider-of.ts'
import { ScopedMethodCache } from './scoped-method-cache.ts'
import { UnreadNames } from './unread-names.ts'

const DEFAULTS = 'createCacheManager.defaults'

export class NamedCaches {
  /** The policy of a cache without options of its own. */
  readonly defaults: Policy
  readonly #options: ResolvedManagerOptions
  readonly #engine: Engine
  readonly #words: CacheWords
  /** In development. */
  readonly #unread: UnreadNames | undefined

  constructor(options: ResolvedManagerOptions, engine: Engine) {
    this.#options = options
    this.#engine = engine
    const { namespace, logger } = options
    const { clock, secondsMeant } = engine.node
    this.#unread = options.isDevelopment ? new UnreadNames(namespace, clock, logger) : undefined
    this.defaults = resolveCachePolicy([options.defaults], DEFAULTS)
    secondsMeant?.lives('', options.defaults, DEFAULTS)
    this.#words = new CacheWords(this.defaults, (cache) => this.#forgetLocally(cache))
  }

  cache<Value>(name: string, options: CacheOptions): Cache<Value> {
    assertName(name, 'cache.name')
    const where = `cache(${name})`
    noteReader(name)
    const parts = this.#partsOf(name, options, where)
    const isSilent = Object.values(options).every((value) => value === undefined)
    if (isSilent) return new Cache<Value>(parts, (policy) => this.#words.follow(name, policy))
    this.#words.make(name, parts.policy, where)
    return new Cache<Value>(parts)
  }

  /** How a decorated method reaches its cache. */
  methodCache(method: MethodDescription): MethodCache {
    const { cacheName, where } = method
    const onlyEvicts = method.onlyEvicts === true
    const parts = this.#partsOf(cacheName, method.options, where)
    if (!onlyEvicts) assertKeyed(method, parts.policy)
    if (method.isForOthers === true) this.#unread?.watch(cacheName, where)
    if (!onlyEvicts) this.#words.say(cacheName, parts.policy, where)
    const cache = new EngineMethodCache(parts, method)
    const { sampler } = this.#engine
    if (sampler !== undefined) measureHits(cache, parts, sampler)
    const { scope } = parts.policy
    if (!onlyEvicts && scope === undefined) return cache
    // A method that only evicts may not know the scope of the entries, or not yet.
    const scopeNow = (): Policy['scope'] =>
      onlyEvicts ? this.#words.follow(cacheName, parts.policy).scope : scope
    return new ScopedMethodCache(cache, () => scopePrefix(scopeNow(), where))
  }

  close(): void {
    this.#unread?.close()
  }

  #partsOf(name: string, options: CacheOptions, where: string): CacheParts {
    const { node } = this.#engine
    assertName(name, `${where}.name`)
    assertCacheOptions(options, where)
    const policy = resolveCachePolicy([this.#options.defaults, options], where)
    if (policy.behind !== undefined) providerOf('writes', this.#options)
    node.secondsMeant?.lives(name, options, where)
    const longest = policy.ttlMs + policy.staleWhileRevalidateMs + policy.staleIfErrorMs
    node.noteLife(Math.max(longest, policy.negativeTtlMs))
    node.coherence.requireStaleness(policy.maxStalenessMs)
    return { name, cacheTag: cacheTag(name), policy, ...this.#engine }
  }

  #forgetLocally(cache: string): void {
    const { local } = this.#engine.node
    const held = [...(local?.keys() ?? [])].filter((key) => key.startsWith(`${cache}:`))
    for (const key of held) local?.delete(key)
  }
}

/** What waits in a queue has the keys of those who wrote it. */
function assertKeyed({ frame, where }: MethodDescription, { behind }: Policy): void {
  if (behind === undefined || frame === undefined) return
  const expected = `a key, the same as that of the writes of the queue ${behind}, because of behind`
  throw new InvalidOptionError({ option: `${where}.key`, expected, received: undefined })
}
