/**
 * Finds the global meter provider, also when it is set later.
 *
 * Before one is set, OpenTelemetry returns meters that do nothing, and they never become real ones. There is no event either that tells
 * when a real one is set, and managers are often made before. So this looks for it again and again, less and less often, until it is
 * there.
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
