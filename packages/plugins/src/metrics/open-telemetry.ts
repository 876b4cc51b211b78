/** Hands the numbers of cache managers to OpenTelemetry. They are read when a reader of the SDK collects. */

import { InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertKnownOptions,
  optionNames,
  orDefault,
  type Plugin,
  type PluginHost,
} from '@larder/core/store'
import { GlobalMeterProvider, loadMetricsApi } from './global-meter-provider.ts'
import { Instruments } from './instruments.ts'
import { KnownNames } from './known-names.ts'
import { ManagerSource, MOST_NAMES } from './manager-source.ts'
import type { MeterProviderLike } from './meter.ts'
import { MetricSources } from './metric-sources.ts'

export interface OpenTelemetryMetricsOptions {
  /**
   * A meter provider of the SDK. Leave it out for the global one: what `metrics.getMeterProvider()` returns before that is set
   * does nothing, for ever. @default the global one, which may be set later
   */
  readonly meterProvider?: MeterProviderLike | undefined
  /** Numbers of each decorated method too. @default false */
  readonly methods?: boolean | undefined
}

/** The defaults. */
export const OPEN_TELEMETRY_METRICS_DEFAULTS = {
  methods: false,
} as const satisfies Partial<OpenTelemetryMetricsOptions>

const WHERE = 'openTelemetryMetrics'
const NAMES = optionNames<OpenTelemetryMetricsOptions>({ meterProvider: true, methods: true })
const WAITED = ['granted', 'timeout', 'unavailable']

/**
 * Creates the plugin. It may serve several managers: give the same one to those of one namespace.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', local, plugins: [openTelemetryMetrics()] })
 */
export function openTelemetryMetrics(options: OpenTelemetryMetricsOptions = {}): Plugin {
  assertKnownOptions(options, NAMES, WHERE)
  const methods = orDefault(options.methods, OPEN_TELEMETRY_METRICS_DEFAULTS.methods)
  assertBoolean(methods, `${WHERE}.methods`)
  assertProvider(options.meterProvider)
  const exporter = new Exporter(options.meterProvider, methods)
  return {
    name: 'open-telemetry-metrics',
    start: (host) => exporter.start(host),
    stop: () => exporter.stop(),
  }
}

class Exporter {
  readonly #given: MeterProviderLike | undefined
  readonly #hasMethods: boolean
  readonly #sources = new MetricSources()
  readonly #started = new Set<ManagerSource>()
  readonly #caches = new KnownNames(MOST_NAMES)
  #instruments: Instruments | undefined
  #global: GlobalMeterProvider | undefined

  constructor(given: MeterProviderLike | undefined, hasMethods: boolean) {
    this.#given = given
    this.#hasMethods = hasMethods
  }

  /** Rejects where the API is needed and not installed: the manager reports it as a `background-error`. */
  start(host: PluginHost): void | Promise<void> {
    const source = new ManagerSource(host, { methods: this.#hasMethods })
    this.#sources.add(source, 'plugins.open-telemetry-metrics')
    this.#started.add(source)
    this.#record(host)
    if (this.#instruments !== undefined) this.#instruments.observe()
    else if (this.#given !== undefined) this.#found(this.#given)
    else if (this.#global === undefined) return this.#lookFor(host)
  }

  stop(): void {
    for (const source of this.#started) {
      if (!source.isClosed) continue
      this.#sources.remove(source)
      this.#started.delete(source)
    }
    if (!this.#sources.isEmpty) return
    this.#instruments?.unobserve()
    this.#global?.stop()
    this.#global = undefined
  }

  async #lookFor({ clock }: PluginHost): Promise<void> {
    const looking = new GlobalMeterProvider(clock, (provider) => this.#found(provider))
    this.#global = looking
    looking.look(await loadMetricsApi())
  }

  #found(provider: MeterProviderLike): void {
    this.#instruments = new Instruments(provider, this.#sources, this.#hasMethods)
    this.#instruments.observe()
  }

  #record(host: PluginHost): void {
    const { namespace } = host
    host.on('load', ({ cache, outcome, durationMs }) => {
      const labels = { namespace, cache: this.#caches.of(cache), outcome }
      this.#instruments?.record('cache.load.duration', durationMs, labels)
    })
    host.on('lock', ({ outcome, source, durationMs }) => {
      if (!WAITED.includes(outcome)) return
      this.#instruments?.record('lock.wait.duration', durationMs, { namespace, outcome, source })
    })
  }
}

function assertProvider(provider: unknown): void {
  if (provider === undefined) return
  const { getMeter } = (provider ?? {}) as Partial<MeterProviderLike>
  if (typeof getMeter === 'function') return
  const expected = 'a meter provider of OpenTelemetry'
  throw new InvalidOptionError({ option: `${WHERE}.meterProvider`, expected, received: provider })
}
