/** Ties a decorated method to its cache at the first call, and anew when the manager changes. */

import { createHash } from 'node:crypto'
import { ClosedError } from '../errors/closed-error.ts'
import { NotConfiguredError } from '../errors/not-configured-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { CACHE_OPTION_NAMES, type CacheOptions } from '../options/cache-options.ts'
import { type ClassConfig, classConfigOf } from './cache-config.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCache, MethodCacheProvider } from './method-cache.ts'
import { cacheNameOf, type MethodSite } from './method-site.ts'
import { currentSkip } from './skip-cache.ts'

/** Who needs a cache of which name. */
export type Naming =
  /** The method may have a cache of its own, named after it. */
  | 'own'
  /** The method works on entries of others, so it has to say whose. */
  | 'required'
  /** The method works on tags only, which reach every cache of the namespace. */
  | 'unneeded'

export interface BindingParts {
  /** `@Cacheable` and so on. */
  readonly decorator: string
  readonly site: MethodSite
  readonly cacheName: string | undefined
  readonly policy: CacheOptions
  readonly naming: Naming
}

/** Caches named after a method, by manager: two classes of one name must not share entries. */
const ownCaches = new WeakMap<MethodCacheProvider, Map<string, MethodSite>>()

export class MethodBinding {
  readonly #parts: BindingParts
  #findProvider: () => MethodCacheProvider | undefined = defaultManager
  #provider: MethodCacheProvider | undefined
  #cache: MethodCache | undefined
  #config: ClassConfig | undefined
  #keyPrefix = ''
  #keySuffix = ''

  /**
   * Completes a default key. In a named cache, which the method may share, it says which method's arguments it is made of,
   * in a shape that no key function can write: else whoever chooses an id could read another method's entries.
   */
  readonly defaultKey = (text: string): string => this.#keyPrefix + text + this.#keySuffix

  constructor(parts: BindingParts) {
    this.#parts = parts
  }

  /** How messages name the method. */
  get where(): string {
    return `${this.#parts.decorator}(${this.#parts.site.label})`
  }

  /** `Class.method`. */
  get label(): string {
    return this.#parts.site.label
  }

  get provider(): MethodCacheProvider | undefined {
    return this.#provider
  }

  /** The cache if it is bound to the manager in charge and nobody skips caches: what the local-hit path needs to know. */
  get quick(): MethodCache | undefined {
    if (currentSkip() !== undefined || this.#findProvider() !== this.#provider) return undefined
    return this.#cache
  }

  /**
   * Returns the cache for a call on `self`, binding if need be.
   *
   * @throws NotConfiguredError without a manager; ClosedError after it was closed; InvalidOptionError when the cache has
   *   to be named.
   */
  bind(self: unknown): MethodCache {
    const { site, policy } = this.#parts
    this.#config ??= classConfigOf(site.owner(self))
    const { cache: _, manager, ...classPolicy } = this.#config
    if (manager !== undefined) this.#findProvider = manager
    const provider = this.#findProvider()
    if (provider === undefined) {
      throw this.#provider?.isClosed === true
        ? new ClosedError(undefined, site.label)
        : new NotConfiguredError(site.label)
    }
    if (provider === this.#provider && this.#cache !== undefined) return this.#cache
    this.#cache = provider.methodCache({
      method: site.label,
      cacheName: this.#cacheName(provider),
      options: merged(classPolicy, policy),
      where: this.where,
      ...(this.#parts.decorator === '@CacheEvict' ? { onlyEvicts: true } : {}),
    })
    this.#provider = provider
    return this.#cache
  }

  #cacheName(provider: MethodCacheProvider): string {
    const { site, naming } = this.#parts
    const given = this.#parts.cacheName ?? this.#config?.cache
    this.#keyPrefix = given === undefined ? '' : `${site.label}:`
    // The end of a short form (see key-digest.ts): a key function that returns this shape gets a digest of its own.
    this.#keySuffix = given === undefined ? '' : `#${digestOf(`default key of ${site.label}`)}`
    if (given !== undefined) return given
    if (naming === 'required') {
      throw this.#unnamed('the name of the cache whose entries are meant, here or in @CacheConfig')
    }
    const own = cacheNameOf(site.label)
    if (naming === 'own') this.#claimName(own, provider)
    return own
  }

  #claimName(name: string, provider: MethodCacheProvider): void {
    const { site } = this.#parts
    if (site.label.startsWith('.')) {
      throw this.#unnamed('a cache name, here or in @CacheConfig, because the class has no name')
    }
    const taken = ownCaches.get(provider) ?? new Map<string, MethodSite>()
    ownCaches.set(provider, taken)
    const holder = taken.get(name)
    if (holder !== undefined && !holder.isSame(site)) {
      throw this.#unnamed(
        'a cache name, here or in @CacheConfig, because another class of this name has a method of this name',
      )
    }
    taken.set(name, site)
  }

  #unnamed(expected: string): InvalidOptionError {
    return new InvalidOptionError({ option: `${this.where}.cache`, expected, received: undefined })
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function merged(...layers: readonly CacheOptions[]): CacheOptions {
  const options: Record<string, unknown> = {}
  for (const layer of layers) {
    for (const name of CACHE_OPTION_NAMES) {
      if (layer[name] !== undefined) options[name] = layer[name]
    }
  }
  return options
}
