/**
 * Binds the providers and controllers of an application to its manager: their decorated methods use the manager of their own
 * application, also when two applications of a process have instances of one class.
 *
 * Nest has no event for the instances that it makes, and it makes them at any time: those of a request with the request. But all code
 * that gets an instance, Nest's own included, asks its wrapper for it. So each wrapper binds what it hands out. A method that
 * a constructor calls runs before that; it uses the default manager.
 */

import { type CacheManager, describeClass } from '@larder/core'
import { Logger } from '@nestjs/common'
import type { ModulesContainer } from '@nestjs/core'

type Module = ModulesContainer extends Map<string, infer One> ? One : never
/** What Nest keeps of a provider. */
export type Wrapper = Module['providers'] extends Map<unknown, infer One> ? One : never

const logger = new Logger('LarderModule')

/** Binds all instances that these modules have and will make. Those of modules that are loaded lazily are not seen. */
export function bindProviders(caches: CacheManager, modules: ModulesContainer): BoundProviders {
  const binder = new Binder(caches)
  for (const wrapper of wrappersOf(modules)) if (!wrapper.isAlias) binder.follow(wrapper)
  return {
    bindLate() {
      binder.bindTransient()
      for (const { middlewares } of modules.values())
        for (const wrapper of middlewares.values()) binder.follow(wrapper)
    },
  }
}

export interface BoundProviders {
  /** Binds instances that were being made meanwhile and that nothing asks for again: transient ones, and middleware. */
  bindLate(): void
}

/** Lists controllers, providers, and guards, pipes, filters and interceptors that decorators name. */
export function wrappersOf(modules: ModulesContainer): readonly Wrapper[] {
  return Array.from(modules.values()).flatMap((module) => [
    ...module.controllers.values(),
    ...module.providers.values(),
    ...module.injectables.values(),
  ])
}

class Binder {
  readonly #caches: CacheManager
  /** Whether objects of a prototype have decorated methods. */
  readonly #isDecorated = new WeakMap<object, boolean>()
  readonly #transient: (() => void)[] = []
  readonly #unbound = new WeakSet<object>()

  constructor(caches: CacheManager) {
    this.#caches = caches
  }

  follow(wrapper: Wrapper): void {
    const { metatype } = wrapper
    const isClass = wrapper.inject === undefined || wrapper.inject === null
    const prototype: unknown = isClass ? metatype?.prototype : undefined
    // What a factory will make is not known yet.
    if (isObject(prototype) && !this.#hasDecorated(prototype)) return
    const find = wrapper.getInstanceByContextId
    let usual: Parameters<typeof find>[0] | undefined
    wrapper.getInstanceByContextId = (...args: Parameters<typeof find>) => {
      usual ??= args[0]
      const host = find.apply(wrapper, args)
      if (host?.isResolved === true) this.#bind(host.instance)
      return host
    }
    // Binds what there is already, and tells which context is that of instances outside of requests.
    void wrapper.instance
    if (!wrapper.isTransient || usual === undefined) return
    const context = usual
    this.#transient.push(() => {
      for (const host of transientIn(wrapper, context)) this.#bind(host?.instance)
    })
  }

  bindTransient(): void {
    for (const bind of this.#transient) bind()
  }

  #bind(instance: unknown): void {
    // Instances are asked for while the application ends, too.
    if (!isObject(instance) || this.#caches.isClosed) return
    try {
      const prototype: unknown = Object.getPrototypeOf(instance)
      if (isObject(prototype) && this.#hasDecorated(prototype)) this.#caches.bind(instance)
    } catch (error) {
      // A proxy may throw anything, and its provider is needed all the same.
      this.#sayUnbound(instance, error)
    }
  }

  #sayUnbound(instance: object, error: unknown): void {
    if (this.#unbound.has(instance)) return
    this.#unbound.add(instance)
    const { name } = instance.constructor
    const why = error instanceof Error ? error.message : String(error)
    logger.warn(
      `Decorated methods of a ${name} do not use this application's cache manager: ${why}`,
    )
  }

  #hasDecorated(prototype: object): boolean {
    const known = this.#isDecorated.get(prototype)
    if (known !== undefined) return known
    const owner: unknown = prototype.constructor
    const is =
      typeof owner === 'function' &&
      describeClass(owner as never).methods.some(({ isStatic }) => !isStatic)
    this.#isDecorated.set(prototype, is)
    return is
  }
}

type Host = { readonly instance: unknown } | undefined

/** The instances of a transient provider; the method has another name in each major of Nest. */
function transientIn(wrapper: Wrapper, context: unknown): readonly Host[] {
  const finders = wrapper as unknown as {
    getExistingInstancesByContextId?(context: unknown): readonly Host[]
    getStaticTransientInstances?(): readonly Host[]
  }
  return (
    finders.getExistingInstancesByContextId?.(context) ??
    finders.getStaticTransientInstances?.() ??
    []
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
