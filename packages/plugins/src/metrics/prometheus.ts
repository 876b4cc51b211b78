/** Puts the numbers of cache managers into a Prometheus registry. Nothing is read before a scrape. */

import { InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertKnownOptions,
  optionNames,
  orDefault,
  type Plugin,
  type PluginHost,
} from '@larder/core/store'
import { ManagerSource } from './manager-source.ts'
import { type MetricSet, metricSetIn, type PrometheusRegistry } from './registry.ts'

export interface PrometheusOptions {
  /** The registry that your `/metrics` prints: `register` of prom-client or `@prometheus-io/client`. Each has one of its own. */
  readonly registry: PrometheusRegistry
  /** The beginning of all names. Letters, digits and `_`. @default 'larder_' */
  readonly prefix?: string | undefined
  /** Numbers of each decorated method too. @default false */
  readonly methods?: boolean | undefined
}

export interface PrometheusPlugin extends Plugin {
  /** Puts the metrics into the registry once more, after `registry.clear()`. Does nothing where they are in it. */
  register(): void
}

/** The defaults. */
export const PROMETHEUS_DEFAULTS = {
  prefix: 'larder_',
  methods: false,
} as const satisfies Partial<PrometheusOptions>

const WHERE = 'prometheus'
const NAMES = optionNames<PrometheusOptions>({ registry: true, prefix: true, methods: true })
const PREFIX = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Creates the plugin. It may serve several managers, and there may be several on one registry.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', local, plugins: [prometheus({ registry: register })] })
 */
export function prometheus(options: PrometheusOptions): PrometheusPlugin {
  assertKnownOptions(options, NAMES, WHERE)
  const { registry } = options
  assertRegistry(registry)
  const prefix = prefixOf(options.prefix)
  const methods = orDefault(options.methods, PROMETHEUS_DEFAULTS.methods)
  assertBoolean(methods, `${WHERE}.methods`)
  const attached = new Map<ManagerSource, MetricSet>()

  const attach = (source: ManagerSource): void => {
    const set = metricSetIn(registry, prefix)
    if (attached.get(source) === set) return
    attached.get(source)?.remove(source)
    set.sources.add(source, 'plugins.prometheus')
    attached.set(source, set)
  }
  return {
    name: WHERE,
    start(host: PluginHost) {
      attach(new ManagerSource(host, { methods }))
    },
    stop() {
      for (const [source, set] of attached) {
        if (!source.isClosed) continue
        set.remove(source)
        attached.delete(source)
      }
    },
    register() {
      for (const source of [...attached.keys()]) attach(source)
    },
  }
}

function prefixOf(given: unknown): string {
  const prefix = orDefault(given, PROMETHEUS_DEFAULTS.prefix)
  if (typeof prefix === 'string' && PREFIX.test(prefix)) return prefix
  const expected = 'letters, digits and underscores, not beginning with a digit'
  throw new InvalidOptionError({ option: `${WHERE}.prefix`, expected, received: prefix })
}

function assertRegistry(registry: unknown): void {
  const given = registry as Partial<PrometheusRegistry> | null | undefined
  const isRegistry = (['registerMetric', 'getSingleMetric', 'removeSingleMetric'] as const).every(
    (method) => typeof given?.[method] === 'function',
  )
  if (isRegistry) return
  throw new InvalidOptionError({
    option: `${WHERE}.registry`,
    expected: 'a registry of prom-client or @prometheus-io/client, such as their `register`',
    received: registry,
  })
}
