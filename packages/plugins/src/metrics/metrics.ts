/** Metrics of cache managers, for Prometheus and for OpenTelemetry. */

export { type MetricId, prometheusName } from './definitions.ts'
export type { MeterLike, MeterProviderLike } from './meter.ts'
export {
  OPEN_TELEMETRY_METRICS_DEFAULTS,
  type OpenTelemetryMetricsOptions,
  openTelemetryMetrics,
} from './open-telemetry.ts'
export {
  PROMETHEUS_DEFAULTS,
  type PrometheusOptions,
  type PrometheusPlugin,
  prometheus,
} from './prometheus.ts'
export type { PrometheusRegistry } from './registry.ts'
