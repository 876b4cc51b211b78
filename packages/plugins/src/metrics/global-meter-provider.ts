/**
 * Finds the global meter provider, whenever it comes.
 *
 * Before one is set, OpenTelemetry hands out meters that do nothing, and they stay so for ever: there is nothing that hands
 * over to the real one later, and nothing that says when it is there. Managers are often made first. So it is looked for
 * again and again, ever more seldom, until it is real.
 */

import { InvalidOptionError } from '@larder/core'
import type { CancelTimer, Clock } from '@larder/core/store'
import type { MeterProviderLike } from './meter.ts'

const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/** The part of `@opentelemetry/api` that is used. */
export interface MetricsApi {
  readonly metrics: { getMeterProvider(): unknown }
  /** The meter that does nothing: always the same one. */
  createNoopMeter(): unknown
}

export class GlobalMeterProvider {
  readonly #clock: Clock
  readonly #found: (provider: MeterProviderLike) => void
  #cancel: CancelTimer | undefined
  #isOver = false

  constructor(clock: Clock, found: (provider: MeterProviderLike) => void) {
    this.#clock = clock
    this.#found = found
  }

  /** Looks at once, and then until it is found or `stop` is called. */
  look({ metrics, createNoopMeter }: MetricsApi, nextMs = FIRST_MS): void {
    if (this.#isOver) return
    const provider = metrics.getMeterProvider() as MeterProviderLike
    if (provider.getMeter('larder') !== createNoopMeter()) {
      this.#isOver = true
      this.#found(provider)
      return
    }
    const again = (): void =>
      this.look({ metrics, createNoopMeter }, Math.min(LONGEST_MS, nextMs * 2))
    this.#cancel = this.#clock.schedule(nextMs, again, 'background')
  }

  stop(): void {
    this.#isOver = true
    this.#cancel?.()
  }
}

/** Loads the API of OpenTelemetry. @throws InvalidOptionError where it is not installed */
export async function loadMetricsApi(): Promise<MetricsApi> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    // `ERR_MODULE_NOT_FOUND` from an ES module, `MODULE_NOT_FOUND` from CommonJS.
    const { code } = error as { readonly code?: unknown }
    if (typeof code !== 'string' || !code.endsWith('MODULE_NOT_FOUND')) throw error
    throw new InvalidOptionError({
      option: 'openTelemetryMetrics.meterProvider',
      expected: 'a meter provider, or @opentelemetry/api to be installed for the global one',
      received: undefined,
    })
  }
}
