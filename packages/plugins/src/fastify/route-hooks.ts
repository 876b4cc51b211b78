/** The limits of routes: made when a route is registered, asked where the route says. */

import type { FastifyRequest, RouteOptions } from 'fastify'
import type { LimitGuard } from '../http/limit-guard.ts'
import type { GuardsOf, Hook } from './limit-request.ts'
import type { HookedGuard, RouteGuard, RouteLimits } from './route-limits.ts'

type SomeRoute = Pick<RouteOptions, 'method' | 'config' | 'preHandler'> & {
  readonly url?: string | undefined
}

export class RouteHooks {
  readonly #limits: RouteLimits
  readonly #hookOf: (guardsOf: GuardsOf) => Hook
  /** Limits that a hook of their route asks, and those hooks. */
  readonly #hooked = new WeakSet<RouteGuard>()
  readonly #own = new WeakSet<object>()
  readonly #byConfig = new WeakMap<object, RouteGuard>()

  constructor(limits: RouteLimits, hookOf: (guardsOf: GuardsOf) => Hook) {
    this.#limits = limits
    this.#hookOf = hookOf
  }

  /**
   * Checks the limit of a route that is being registered. One that waits for other plugins is asked by a hook of the route, which runs
   * after those of the application and after the others of the route.
   *
   * @throws InvalidOptionError
   */
  add(route: SomeRoute): void {
    const guard = this.#guardOf(route)
    if (guard.own?.hook !== 'preHandler') return
    this.#hooked.add(guard)
    const before = [route.preHandler ?? []].flat()
    // The route of HEAD is made of that of GET, with its hooks.
    if (before.some((each) => this.#own.has(each))) return
    const { own } = guard
    const hook = this.#hookOf(() => [own.guard])
    this.#own.add(hook)
    route.preHandler = [...before, hook]
  }

  /** Returns the guards of a route that a hook of the application has to ask. */
  guardsOf(
    route: FastifyRequest['routeOptions'],
    hook: HookedGuard['hook'],
  ): readonly LimitGuard<FastifyRequest>[] {
    const { config } = route
    // Where no route answers.
    if (config === undefined) return []
    // The one object about a route that is the same with every request.
    let guard = this.#byConfig.get(config)
    if (guard === undefined) {
      guard = this.#guardOf(route as SomeRoute)
      this.#byConfig.set(config, guard)
    }
    if (guard.own?.hook !== hook || this.#hooked.has(guard)) return []
    return [guard.own.guard]
  }

  #guardOf({ method, url = '', config }: SomeRoute): RouteGuard {
    return this.#limits.of(config?.larder?.rateLimit, { method, url })
  }
}
