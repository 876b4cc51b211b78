/** `@larder/nest/terminus`: a health indicator for @nestjs/terminus 11 and 12. */

import type { CacheManager, ManagerStatus } from '@larder/core'
import { assertBoolean, assertKnownOptions, assertText } from '@larder/core/store'
import { Inject } from '@nestjs/common'
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus'
import { CACHES } from './tokens.ts'

/** Options of `check`. */
export interface HealthCheckOptions {
  /**
   * False: the application is up while the shared store is away, because its caches work without. Their state is told as `degraded: true`.
   * True: it is down then; for an application that is no use without its shared store. @default false
   */
  readonly strict?: boolean | undefined
}

/** What stands for an option when nobody says otherwise. */
export const HEALTH_DEFAULTS = { strict: false } as const satisfies HealthCheckOptions

/**
 * Tells how the caches of the application stand. List it among the providers of a module that imports `TerminusModule`.
 *
 * @example this.health.check([() => this.larder.check('cache')])
 */
export class LarderHealthIndicator {
  static {
    Inject(CACHES)(LarderHealthIndicator, undefined, 0)
    Inject(HealthIndicatorService)(LarderHealthIndicator, undefined, 1)
  }

  readonly #caches: CacheManager
  readonly #indicators: HealthIndicatorService

  constructor(caches: CacheManager, indicators: HealthIndicatorService) {
    this.#caches = caches
    this.#indicators = indicators
  }

  /** @throws InvalidOptionError */
  check<const Name extends string>(
    name: Name,
    options: HealthCheckOptions = {},
  ): HealthIndicatorResult<Name> {
    assertText(name, 'check.name')
    assertKnownOptions(options, ['strict'], 'check')
    const { strict = HEALTH_DEFAULTS.strict } = options
    assertBoolean(strict, 'check.strict')
    const state = this.#caches.status()
    const indicator = this.#indicators.check(name)
    const isDegraded = state.state !== 'up' && state.state !== 'in-process'
    const detail = { ...detailOf(state), degraded: isDegraded }
    const isDown = state.state === 'closed' || (strict && isDegraded)
    return (isDown ? indicator.down(detail) : indicator.up(detail)) as HealthIndicatorResult<Name>
  }
}

/** Nothing that tells where the store is: answers of health checks are often public. */
function detailOf({
  state,
  store,
  coherence,
  recoveryQueue,
}: ManagerStatus): Record<string, unknown> {
  return {
    state,
    coherence: coherence.state,
    breaker: store?.breaker ?? 'none',
    bus: store?.bus ?? 'none',
    waitingEvictions: recoveryQueue.waiting,
  }
}
