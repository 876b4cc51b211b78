/**
 * Spans from the messages of tracing channels.
 *
 * A message begins in the async context of its caller, so the span that is active there is the parent. What is loaded behind a
 * caller that was served is not part of its request, and may outlive it: it has a trace of its own, linked to the span that caused it.
 *
 * Nothing here is caught: what a tracer or a span processor throws is for Node.js to show (see the guide on tracing channels).
 */

import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel'
import type { LoadTrace, ReadTrace, Trace } from '@larder/core'
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { errorType } from './error-type.ts'
import { FlightLinks } from './flight-links.ts'
import type { KeyWords } from './key-words.ts'
import type { SpanSource } from './span-sources.ts'

interface SpanParts {
  readonly tracer: Tracer
  readonly words: KeyWords
  readonly sources: readonly SpanSource[]
}

export class OpenSpans {
  readonly #parts: SpanParts
  readonly #links = new FlightLinks()
  readonly #managers = new Set<object>()
  readonly #open = new Map<Trace, Span>()
  readonly #subscriptions: readonly [string, TracingChannelSubscribers<Trace>][]

  constructor(parts: SpanParts) {
    this.#parts = parts
    this.#subscriptions = parts.sources.map((source) => [source.channel, this.#listener(source)])
  }

  /** Makes spans for a manager. Without managers nothing is subscribed, and there is no cost. */
  add(manager: object): void {
    const isFirst = this.#managers.size === 0
    this.#managers.add(manager)
    if (!isFirst) return
    for (const [name, listener] of this.#subscriptions) channelOf(name).subscribe(listener)
  }

  /** Ends what is still open of a manager, and makes no more for it. */
  remove(manager: object): void {
    if (!this.#managers.delete(manager)) return
    if (this.#managers.size === 0) {
      for (const [name, listener] of this.#subscriptions) channelOf(name).unsubscribe(listener)
    }
    for (const [message, span] of this.#open) {
      if (message.manager !== manager) continue
      this.#open.delete(message)
      span.setAttribute('larder.unfinished', true)
      span.end()
    }
  }

  #listener(source: SpanSource): TracingChannelSubscribers<Trace> {
    return {
      start: (message) => {
        if (this.#managers.has(message.manager)) this.#begin(source, message)
      },
      end: nothing,
      asyncStart: nothing,
      asyncEnd: (message) => {
        const span = this.#open.get(message)
        if (span !== undefined) this.#end(source, message, span)
      },
      error: nothing,
    }
  }

  #begin(source: SpanSource, message: Trace): void {
    const { tracer, words } = this.#parts
    const { namespace } = message
    const caller = context.active()
    const isBehind = isLoad(message) || isRead(message) ? message.behind : false
    const parent = isBehind ? trace.deleteSpan(caller) : caller
    const links = isRead(message) ? this.#links.ofRead(message) : []
    const options = {
      kind: SpanKind.INTERNAL,
      attributes: { 'larder.namespace': namespace, ...known(source.begun(message)) },
      links: isBehind ? [...links, ...triggerOf(trace.getSpan(caller))] : [...links],
    }
    const span = tracer.startSpan(source.nameOf(message), options, parent)
    this.#open.set(message, span)
    if (!words.isSilent && span.isRecording())
      span.setAttributes(known(source.keys(message, words)))
    if (isRead(message)) this.#links.readBegins(message, span)
    else if (isLoad(message)) this.#links.loadBegins(message, span)
    const within = trace.setSpan(parent, span)
    const { surround } = message
    const run = <Result>(work: () => Result): Result => context.with(within, work)
    message.surround = surround === undefined ? run : (work) => surround(() => run(work))
  }

  #end(source: SpanSource, message: Trace, span: Span): void {
    this.#open.delete(message)
    const isHit = isRead(message) ? this.#links.readEnds(message, span) : undefined
    span.setAttributes(known({ ...source.ended(message), 'cache.hit': isHit }))
    this.#tellError(source, message, span)
    span.end()
  }

  #tellError(source: SpanSource, message: Trace, span: Span): void {
    const { error } = message
    if (error !== undefined) span.setAttribute('error.type', errorType(error))
    if (!source.hasFailed(message)) return
    const isTold = this.#parts.words.tellsMessages && error instanceof Error
    if (isTold) span.recordException(error)
    span.setStatus({ code: SpanStatusCode.ERROR, ...(isTold && { message: error.message }) })
  }
}

function channelOf(name: string) {
  return tracingChannel<unknown, Trace>(name)
}

function triggerOf(span: Span | undefined): readonly Link[] {
  const trigger = span?.spanContext()
  if (trigger === undefined || !isSpanContextValid(trigger)) return []
  return [{ context: trigger, attributes: { 'larder.link': 'trigger' } }]
}

/** Tracers differ in what they make of `undefined`. */
function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
}

function isRead(message: Trace): message is ReadTrace {
  return 'flight' in message
}

function isLoad(message: Trace): message is LoadTrace {
  return 'flights' in message
}

function nothing(): void {}
