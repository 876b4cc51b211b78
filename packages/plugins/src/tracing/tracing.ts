/** OpenTelemetry spans of what takes time in a cache. */

import { InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
  type Plugin,
} from '@larder/core/store'
import { type TracerProvider, trace } from '@opentelemetry/api'
import { KeyWords, type ShownKeys } from './key-words.ts'
import { countLocalHit } from './local-hits.ts'
import { OpenSpans } from './open-spans.ts'
import { SPAN_SOURCES, type SpanSource, type TracedSpan } from './span-sources.ts'

export type { ShownKeys } from './key-words.ts'
export type { TracedSpan } from './span-sources.ts'

export interface TracingOptions {
  /** Makes the spans. @default the global one of `@opentelemetry/api`, also if it is set later */
  readonly tracerProvider?: TracerProvider | undefined
  /**
   * What spans say of keys and tags, which may be personal data: nothing; a hash; or all, and then messages of errors as well.
   * @default 'off'
   */
  readonly keys?: ShownKeys | undefined
  /** Of what there are spans: 1 to 5 of `load`, `read`, `evict`, `lock`, `limit`. @default all */
  readonly spans?: readonly TracedSpan[] | undefined
  /**
   * Counts local hits on the active span (`larder.cache.local_hits`). It takes all local hits of the manager off their fast path, those
   * without a span as well, which costs each several times what it takes. @default false
   */
  readonly localHits?: boolean | undefined
}

const WHERE = 'tracing'
const SHOWN = ['off', 'hash', 'plain'] as const
const TRACED = Object.keys(SPAN_SOURCES) as TracedSpan[]
/** The defaults. */
export const TRACING_DEFAULTS = {
  keys: 'off',
  localHits: false,
} as const satisfies Partial<TracingOptions>
const NAMES = optionNames<TracingOptions>({
  tracerProvider: true,
  keys: true,
  spans: true,
  localHits: true,
})

/**
 * Creates the plugin. Several managers may share one; each has spans of its own only.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote, plugins: [tracing({ keys: 'hash' })] })
 */
export function tracing(options: TracingOptions = {}): Plugin {
  assertKnownOptions(options, NAMES, WHERE)
  const keys = orDefault(options.keys, TRACING_DEFAULTS.keys)
  assertOneOf(keys, SHOWN, `${WHERE}.keys`)
  const countsHits = orDefault(options.localHits, TRACING_DEFAULTS.localHits)
  assertBoolean(countsHits, `${WHERE}.localHits`)
  const sources = sourcesOf(options.spans)
  const tracer = providerOf(options.tracerProvider).getTracer('@larder/plugins/tracing')
  const spans = new OpenSpans({ tracer, words: new KeyWords(keys), sources })
  const managers = new Set<{ readonly isClosed: boolean }>()
  return {
    name: WHERE,
    start({ manager, onInCall }) {
      managers.add(manager)
      spans.add(manager)
      if (countsHits) onInCall('hit', countLocalHit)
    },
    stop() {
      for (const manager of managers) {
        if (!manager.isClosed) continue
        managers.delete(manager)
        spans.remove(manager)
      }
    },
  }
}

function providerOf(given: unknown): TracerProvider {
  if (given === undefined) return trace
  const isProvider =
    typeof given === 'object' &&
    given !== null &&
    'getTracer' in given &&
    typeof given.getTracer === 'function'
  if (isProvider) return given as TracerProvider
  const expected = 'a TracerProvider of OpenTelemetry: an object with getTracer'
  throw new InvalidOptionError({ option: `${WHERE}.tracerProvider`, expected, received: given })
}

function sourcesOf(given: unknown): readonly SpanSource[] {
  if (given === undefined) return TRACED.map((each) => SPAN_SOURCES[each])
  if (!Array.isArray(given) || given.length === 0) {
    const expected = `an array with at least one of ${TRACED.join(', ')}`
    throw new InvalidOptionError({ option: `${WHERE}.spans`, expected, received: given })
  }
  const chosen = given.map((each: unknown, i) => {
    assertOneOf(each, TRACED, `${WHERE}.spans[${i}]`)
    return SPAN_SOURCES[each as TracedSpan]
  })
  return [...new Set(chosen)]
}
