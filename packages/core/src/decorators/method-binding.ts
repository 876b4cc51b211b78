/** Ties a decorated method to its cache at the first call, and anew when the manager changes. */

import { NotConfiguredError } from '../errors/not-configured-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { CACHE_OPTION_NAMES, type CacheOptions } from '../options/cache-options.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCache, MethodCacheProvider } from './method-cache.ts'
import type { AnyMethod, MethodSite } from './method-decorator.ts'
import { findOwner, type MethodOwner, methodName } from './method-owner.ts'

export interface BindingParts {
  /** `@Cacheable` and so on. */
  readonly decorator: string
  readonly site: MethodSite
  /** The decorator's own policy options and cache name. */
  readonly options: CacheOptions & { readonly cache?: string | undefined }
  /** True when the method may have a cache of its own, named after it; others have to say which cache they mean. */
  readonly mayBeUnnamed: boolean
}

/** Caches named after a method, by manager: two classes of one name must not share entries. */
const unnamed = new WeakMap<MethodCacheProvider, Map<string, MethodBinding>>()

export class MethodBinding {
  readonly #parts: BindingParts
  #wrapped: AnyMethod | undefined
  #owner: MethodOwner | undefined
  #provider: MethodCacheProvider | undefined
  #cache: MethodCache | undefined
  /** What a default key begins with: empty in a cache of the method's own. */
  keyPrefix = ''

  constructor(parts: BindingParts) {
    this.#parts = parts
  }

  /** How messages name the method. */
  get where(): string {
    const name = this.#owner === undefined ? methodName(this.#parts.site.name) : this.method
    return `${this.#parts.decorator}(${name})`
  }

  get method(): string {
    return `${this.#owner?.className ?? 'anonymous'}.${this.#owner?.methodName ?? ''}`
  }

  /** Tells the binding which function stands in the class; once, when it was made. */
  wrapping(wrapped: AnyMethod): void {
    this.#wrapped = wrapped
  }

  /** The cache if it is bound and its manager is still the one to use: one comparison on the local-hit path. */
  get quick(): MethodCache | undefined {
    const manager = this.#owner?.config.manager
    const provider = manager === undefined ? defaultManager() : manager()
    return provider === this.#provider ? this.#cache : undefined
  }

  /**
   * Returns the cache, binding if need be.
   *
   * @throws NotConfiguredError without a manager; InvalidOptionError when the cache has to be named.
   */
  bind(self: unknown): MethodCache {
    this.#owner ??= findOwner(this.#parts.site, this.#wrapped ?? (() => undefined), self)
    const { config } = this.#owner
    const provider = config.manager?.() ?? defaultManager()
    if (provider === undefined) throw new NotConfiguredError(this.method)
    if (provider === this.#provider && this.#cache !== undefined) return this.#cache
    const { options } = this.#parts
    const name = options.cache ?? config.cache
    this.keyPrefix = name === undefined ? '' : this.method
    this.#cache = provider.methodCache({
      method: this.method,
      cacheName: name ?? this.#ownName(provider),
      options: policyOptions(config, options),
      where: this.where,
    })
    this.#provider = provider
    return this.#cache
  }

  #ownName(provider: MethodCacheProvider): string {
    const taken = unnamed.get(provider) ?? new Map<string, MethodBinding>()
    unnamed.set(provider, taken)
    const holder = taken.get(this.method)
    if (!this.#parts.mayBeUnnamed || (holder !== undefined && holder !== this)) {
      throw new InvalidOptionError({
        option: `${this.where}.cache`,
        expected: this.#parts.mayBeUnnamed
          ? 'a cache name, because another class of this name has a method of this name'
          : 'a cache name, here or in @CacheConfig, to know whose keys these are',
        received: undefined,
      })
    }
    taken.set(this.method, this)
    return this.method
  }
}

function policyOptions(...layers: readonly CacheOptions[]): CacheOptions {
  const merged: Record<string, unknown> = {}
  for (const layer of layers) {
    for (const name of CACHE_OPTION_NAMES) {
      if (layer[name] !== undefined) merged[name] = layer[name]
    }
  }
  return merged
}
