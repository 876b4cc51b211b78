/**
 * Local hits have no spans: they take no time, and would hide the spans that do. They are counted on the span that is active where
 * they happen.
 */

import type { CacheEvents } from '@larder/core'
import { type Span, trace } from '@opentelemetry/api'

/** One count for all managers: they may share a span. Spans are let go with their requests. */
const counts = new WeakMap<Span, number>()

export function countLocalHit({ tier }: CacheEvents['hit']): void {
  if (tier !== 'local') return
  const span = trace.getActiveSpan()
  if (span === undefined || !span.isRecording()) return
  const count = (counts.get(span) ?? 0) + 1
  counts.set(span, count)
  span.setAttribute('larder.cache.local_hits', count)
}
