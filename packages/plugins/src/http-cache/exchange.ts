/** A request and its response as the cache sees them, whatever framework they are of. */

import type { FieldLines } from './fields.ts'
import type { Place } from './place.ts'

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  /** The reason phrase, where there is one that is not the usual. */
  readonly reason: string | undefined
  /** What the handler set, and nothing of what was set before the cache. */
  readonly fields: FieldLines
  /** What was set before the cache was reached, and the handler left alone. */
  readonly outer: FieldLines
}

/** A response to send. */
export interface ReadyResponse extends Omit<ResponseHead, 'outer'> {
  readonly body: Uint8Array
}

export interface WholeResponse extends ResponseHead {
  readonly body: Uint8Array
}

/** How a handler's response ended. */
export type Rendering =
  /** It is whole, and nothing of it was sent. */
  | { readonly kind: 'whole'; readonly response: WholeResponse }
  /** It goes to the client as it comes, because it was not to be held, or was too large. */
  | { readonly kind: 'passed'; readonly head: ResponseHead; readonly why: 'head' | 'size' }
  /** It did not come to an end, and its client has gone. */
  | { readonly kind: 'gone' }

/** What is added to a response that is passed on. */
export type AddedFields = FieldLines

export interface RenderOptions {
  /** All that the handler sees of the request's fields, by name in lower case. */
  readonly fields: ReadonlyMap<string, string>
  /** Larger bodies are not held, bytes. */
  readonly maxBody: number
  /** Added to a response that passes. */
  readonly added: AddedFields
  /** Name in lower case of the field that is for this cache alone. */
  readonly hidden: string | undefined
  /** False lets the response pass as it comes. */
  holds(head: ResponseHead): boolean
  /** Asked of one that passes: whether its client has it already, and is to be told just that (304). */
  isUnchanged(head: ResponseHead): boolean
}

export interface Exchange {
  readonly method: string
  /** The target as the client sent it. */
  readonly target: string
  /** The target as the handler sees it, which something before the cache may have rewritten. */
  readonly seen: string
  /** Where the request went before the cache was reached. */
  readonly place: Place
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal
  readonly hasBody: boolean
  /** The value of a field of the request, its lines joined. */
  field(name: string): string | undefined
  /** Lets the handler answer by itself. */
  pass(added: AddedFields): Promise<void>
  /** Lets the handler answer by itself; nothing of the response is sent before `before` has resolved, which is told of the head. */
  passAfter(added: AddedFields, before: (head: ResponseHead) => Promise<void>): Promise<void>
  /** Runs the handler, once: a second call returns the same. */
  render(options: RenderOptions): Promise<Rendering>
  /** Answers the client. What a handler writes afterwards is kept from it. */
  answer(response: ReadyResponse): Promise<void>
}
