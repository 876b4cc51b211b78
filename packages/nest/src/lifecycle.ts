/** What the module does while the application starts and ends. */

import type { CacheManager } from '@larder/core'
import {
  Inject,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { type BoundProviders, bindProviders } from './bound-providers.ts'
import { LarderExceptionFilter } from './exception-filter.ts'
import { ForeignExceptions } from './foreign-exceptions.ts'
import { checkLimits, filtersOf, foreignKindsOf } from './guarded-handlers.ts'
import { isOwn } from './module-options.ts'
import { RateLimits } from './rate-limits.ts'
import { CACHES } from './tokens.ts'

export class Lifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  static {
    Inject(CACHES)(Lifecycle, undefined, 0)
    Inject(ModulesContainer)(Lifecycle, undefined, 1)
    Inject(RateLimits)(Lifecycle, undefined, 2)
    Inject(ForeignExceptions)(Lifecycle, undefined, 3)
    Inject(LarderExceptionFilter)(Lifecycle, undefined, 4)
  }

  readonly #caches: CacheManager
  readonly #modules: ModulesContainer
  readonly #limits: RateLimits
  readonly #foreign: ForeignExceptions
  readonly #filter: LarderExceptionFilter
  readonly #bound: BoundProviders | undefined

  constructor(
    ...[caches, modules, limits, foreign, filter]: readonly [
      CacheManager,
      ModulesContainer,
      RateLimits,
      ForeignExceptions,
      LarderExceptionFilter,
    ]
  ) {
    this.#caches = caches
    this.#modules = modules
    this.#limits = limits
    this.#foreign = foreign
    this.#filter = filter
    // A test may have put anything in the place of the manager.
    if (typeof caches?.bind === 'function') this.#bound = bindProviders(caches, modules)
    this.#bound?.bindLate()
  }

  async onModuleInit(): Promise<void> {
    this.#bound?.bindLate()
    await this.#foreign.load(foreignKindsOf(this.#modules))
  }

  /** By now the application has its settings, and all guards. */
  onApplicationBootstrap(): void {
    if (this.#bound !== undefined) checkLimits(this.#modules, this.#limits)
    this.#filter.comeAfter(filtersOf(this.#modules, this.#filter))
  }

  /** By now connections are closed, and the modules that were started after this one have ended. */
  async onApplicationShutdown(): Promise<void> {
    if (isOwn(this.#caches)) await this.#caches.close()
  }
}
