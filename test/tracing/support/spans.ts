/** OpenTelemetry with spans in memory. Context is of the process, so a test file sets it once. */

import { context, type DiagLogger, DiagLogLevel, diag, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type Span,
} from '@opentelemetry/sdk-trace-base'
import { onTestFinished } from 'vitest'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

/** What the SDK complains of, such as a span that is ended twice. */
export const complaints: string[] = []
const complain = (message: string): void => void complaints.push(message)
const logger: DiagLogger = {
  error: complain,
  warn: complain,
  info: complain,
  debug: complain,
  verbose: complain,
}
diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })

export interface SpanMemory {
  readonly tracerProvider: BasicTracerProvider
  /** Begun and not ended. */
  readonly open: Set<Span>
  /** Those of Larder that have ended, in the order of their beginning. */
  ended(): readonly ReadableSpan[]
  /** Runs work in a span of a request, which is ended after it; returns the span, and what the work returns. */
  request<Result>(name: string, work: () => Promise<Result>): Promise<[ReadableSpan, Result]>
}

export function spansInMemory(): SpanMemory {
  const exporter = new InMemorySpanExporter()
  const open = new Set<Span>()
  const begun: unknown[] = []
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor(exporter),
      {
        onStart: (span) => {
          open.add(span)
          begun.push(span)
        },
        onEnd: (span) => void open.delete(span as Span),
        forceFlush: async () => undefined,
        shutdown: async () => undefined,
      },
    ],
  })
  onTestFinished(() => tracerProvider.shutdown())
  const tracer = tracerProvider.getTracer('app')
  return {
    tracerProvider,
    open,
    ended: () =>
      exporter
        .getFinishedSpans()
        .filter(({ instrumentationScope }) => instrumentationScope.name !== 'app')
        .sort((a, b) => begun.indexOf(a) - begun.indexOf(b)),
    request: (name, work) =>
      tracer.startActiveSpan(name, async (span) => {
        try {
          const result = await work()
          return [span as unknown as ReadableSpan, result] as const as [ReadableSpan, never]
        } finally {
          span.end()
        }
      }),
  }
}

/** The name of the active span, if it is one that is recorded. */
export function activeName(): string | undefined {
  const span = trace.getActiveSpan() as unknown as ReadableSpan | undefined
  return span?.name
}

export function idOf(span: ReadableSpan | undefined): string | undefined {
  return span?.spanContext().spanId
}

/** Spans that it is linked to, and as what. */
export function linksOf(span: ReadableSpan | undefined): readonly (readonly unknown[])[] {
  return (span?.links ?? []).map(({ context: to, attributes }) => [
    attributes?.['larder.link'],
    to.spanId,
  ])
}
