/** `@larder/nest/terminus`: a health indicator for @nestjs/terminus 11 and 12. */

import type { CacheManager, ManagerHealth } from '@larder/core'
import { assertBoolean, assertKnownOptions, assertText, optionNames } from '@larder/core/store'
import { Inject } from '@nestjs/common'
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus'
import { CACHES } from './tokens.ts'

/** Options of `check`. */
export interface HealthCheckOptions {
  /**
   * False: the application is up while the shared store is away, because its caches work without it; then `degraded` is true. True: it is
   * down then; for an application that is of no use without its shared store. @default false
   */
  readonly strict?: boolean | undefined
}

/** The defaults of the options. */
export const HEALTH_DEFAULTS = { strict: false } as const satisfies HealthCheckOptions

const NAMES = optionNames<HealthCheckOptions>({ strict: true })
/** How long a check waits for the first connection, ms. The check may be the first call that uses the store. */
const FIRST_CONNECTION_MS = 1_000

/**
 * Tells the state of the caches of the application. List it among the providers of a module that imports `TerminusModule`.
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

  /**
   * Answers at once, except before the first connection: it makes that, and waits for it for a second at most.
   *
   * @throws InvalidOptionError
   */
  async check<const Name extends string>(
    name: Name,
    options: HealthCheckOptions = {},
  ): Promise<HealthIndicatorResult<Name>> {
    assertText(name, 'check.name')
    assertKnownOptions(options, NAMES, 'check')
    const { strict = HEALTH_DEFAULTS.strict } = options
    assertBoolean(strict, 'check.strict')
    if (this.#caches.status().state === 'starting')
      await this.#caches.ready({ timeout: FIRST_CONNECTION_MS }).catch(() => undefined)
    const health = this.#caches.health()
    const indicator = this.#indicators.check(name)
    const isDown = health.state === 'down' || (strict && health.state !== 'up')
    const detail = detailOf(health)
    return (isDown ? indicator.down(detail) : indicator.up(detail)) as HealthIndicatorResult<Name>
  }
}

/** Answers of health checks are often public. So they have reasons, and no messages, which may tell where the store is. */
function detailOf({ state, problems, status }: ManagerHealth): Record<string, unknown> {
  const { store, coherence } = status
  return {
    degraded: state === 'degraded',
    reasons: problems.map(({ reason }) => reason),
    coherence: coherence.state,
    breaker: store?.breaker ?? 'none',
  }
}
