/** Metrics of cache managers, for Prometheus and for OpenTelemetry. */

export { type MetricId, prometheusName } from './definitions.ts'
export {
  PROMETHEUS_DEFAULTS,
  type PrometheusOptions,
  type PrometheusPlugin,
  prometheus,
} from './prometheus.ts'
export type { PrometheusRegistry } from './registry.ts'
