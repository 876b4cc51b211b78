/**
 * Links spans of callers that wait for another one's read to where their answer comes from.
 *
 * The span of a waiter is not a child of that read, because the two belong to different requests. It is linked to the loader's span, which may begin only
 * later; and if there is no load at all, because the store had the value, to the span of the read.
 */

import type { LoadTrace, ReadTrace, TracedFlight } from '@larder/core'
import { isSpanContextValid, type Link, type Span, type SpanContext } from '@opentelemetry/api'

/** A refresh looks for nothing. */
const HIT_BY_OUTCOME = {
  remote: true,
  confirmed: true,
  stale: true,
  miss: false,
  joined: undefined,
  refresh: undefined,
} as const satisfies Record<NonNullable<ReadTrace['outcome']>, boolean | undefined>

interface FlightSpans {
  read?: SpanContext
  load?: SpanContext
  /** The outcome of the read of the store. */
  isHit?: boolean | undefined
  readonly waiting: Set<Span>
}

export class FlightLinks {
  readonly #flights = new WeakMap<TracedFlight, FlightSpans>()

  /** Links that a span of a read begins with. */
  ofRead({ joined, flight }: ReadTrace): readonly Link[] {
    const load = joined ? this.#of(flight).load : undefined
    return load === undefined ? [] : [loader(load)]
  }

  readBegins({ joined, flight }: ReadTrace, span: Span): void {
    const spans = this.#of(flight)
    if (!joined) spans.read = span.spanContext()
    else if (spans.load === undefined) spans.waiting.add(span)
  }

  loadBegins({ flights }: LoadTrace, span: Span): void {
    const load = span.spanContext()
    for (const flight of flights) {
      const spans = this.#of(flight)
      spans.load = load
      if (isSpanContextValid(load))
        for (const waiting of spans.waiting) waiting.addLink(loader(load))
      spans.waiting.clear()
    }
  }

  /** Returns whether it was answered without a load; `undefined` if that is not known. */
  readEnds({ joined, flight, outcome }: ReadTrace, span: Span): boolean | undefined {
    const spans = this.#of(flight)
    if (!joined) {
      if (outcome !== undefined) spans.isHit = HIT_BY_OUTCOME[outcome]
      return spans.isHit
    }
    if (spans.waiting.delete(span) && spans.read !== undefined && isSpanContextValid(spans.read)) {
      span.addLink({ context: spans.read, attributes: { 'larder.link': 'reader' } })
    }
    // It may have been served while the other one loads.
    if (outcome !== 'joined') return outcome && HIT_BY_OUTCOME[outcome]
    return spans.isHit ?? (spans.load === undefined ? undefined : false)
  }

  #of(flight: TracedFlight): FlightSpans {
    const known = this.#flights.get(flight)
    if (known !== undefined) return known
    const spans: FlightSpans = { waiting: new Set() }
    this.#flights.set(flight, spans)
    return spans
  }
}

function loader(context: SpanContext): Link {
  return { context, attributes: { 'larder.link': 'loader' } }
}
