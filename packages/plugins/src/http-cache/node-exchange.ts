/** A request and its response of node:http, or of a framework that stands on it. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { onResponseEnd } from '../http/response-end.ts'
import { Capture } from './capture.ts'
import type {
  AddedFields,
  Exchange,
  ReadyResponse,
  Rendering,
  RenderOptions,
  ResponseHead,
} from './exchange.ts'
import { narrow } from './narrowed-request.ts'
import { leavePlace, type Place, placeIn, saidBy } from './place.ts'

/** What a framework adds. */
export interface NodeExchangeParts {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The request as the framework has it, where that is another object. */
  readonly wrapped: unknown
  /** What tells handlers of one path apart that something before the cache has chosen between. @default nothing */
  readonly route?: string | undefined
  /** Lets the handler run. */
  proceed(): void
  /** Called once it is known that the cache answers, before anything is sent. */
  onAnswer?(): void
  /** Runs a task after so many ms, for handlers that stop when their client leaves. */
  schedule(delayMs: number, task: () => void): () => void
}

/** How long a handler whose client has left may take to end its response, ms. */
const GRACE_MS = 1_000

export class NodeExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly seen: string
  readonly place: Place
  readonly #parts: NodeExchangeParts
  readonly #gone = new AbortController()
  #capture: Capture | undefined
  #rendering: Promise<Rendering> | undefined

  constructor(parts: NodeExchangeParts) {
    const { request, response, wrapped, route = '' } = parts
    this.#parts = parts
    this.method = request.method ?? 'GET'
    this.target = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
    this.seen = request.url ?? '/'
    const isEncrypted = (request.socket as Partial<TLSSocket> | undefined)?.encrypted === true
    const said = saidBy(wrapped, isEncrypted)
    const { headers } = request
    const field = (name: string): string | undefined => fieldOf(headers, name)
    this.place = placeIn([request], { ...said, host: field('host') ?? '', route, field })
    onResponseEnd(request, response, (how) => {
      if (how === 'gone') this.#gone.abort()
    })
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  get hasBody(): boolean {
    const { request } = this.#parts
    // A body of HTTP/2 need not be announced by a field.
    const { stream } = request as { stream?: { readonly endAfterHeaders?: boolean } }
    if (stream?.endAfterHeaders === false) return true
    const { headers } = request
    const length = headers['content-length']
    return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
  }

  field(name: string): string | undefined {
    return fieldOf(this.#parts.request.headers, name)
  }

  async pass(added: AddedFields): Promise<void> {
    const { response, proceed } = this.#parts
    // Something has answered while it was looked up.
    if (response.headersSent || this.signal.aborted) return
    this.#capture?.letPass()
    for (const [name, value] of added) response.appendHeader(name, value)
    proceed()
  }

  async passAfter(
    added: AddedFields,
    before: (head: ResponseHead) => Promise<void>,
  ): Promise<void> {
    const { response, proceed } = this.#parts
    for (const [name, value] of added) response.appendHeader(name, value)
    const capture = new Capture(response)
    capture.hold(before)
    proceed()
  }

  render(options: RenderOptions): Promise<Rendering> {
    this.#rendering ??= this.#render(options)
    return this.#rendering
  }

  #render({ fields, ...options }: RenderOptions): Promise<Rendering> {
    const { request, response, proceed, schedule } = this.#parts
    if (response.headersSent || this.signal.aborted) return Promise.resolve({ kind: 'gone' })
    const { wrapped } = this.#parts
    const holders = [request, wrapped].filter((each) => typeof each === 'object' && each !== null)
    const leave = leavePlace(request, this.place)
    const restore = narrow(request, fields, new Set(holders as object[]))
    this.#capture = new Capture(response)
    const rendering = this.#capture.render(options)
    let cancel = (): void => undefined
    const gone = new Promise<Rendering>((resolve) => {
      this.signal.addEventListener(
        'abort',
        () => {
          cancel = schedule(GRACE_MS, () => resolve({ kind: 'gone' }))
        },
        { once: true },
      )
    })
    proceed()
    return Promise.race([rendering, gone]).finally(() => {
      cancel()
      restore()
      leave()
    })
  }

  async answer(answer: ReadyResponse): Promise<void> {
    const { response, onAnswer } = this.#parts
    this.#capture?.release()
    if (response.headersSent || response.destroyed) return
    onAnswer?.()
    send(response, answer)
    this.#capture?.drop()
  }
}

function fieldOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  // HTTP/2 has a name of its own for the host.
  const value = headers[name] ?? (name === 'host' ? headers[':authority'] : undefined)
  return Array.isArray(value) ? value.join(', ') : value
}

/** Writes through what stands before the cache, such as compression: the head goes with the first byte, as it usually does. */
function send(response: ServerResponse, { status, reason, fields, body }: ReadyResponse): void {
  response.statusCode = status
  // HTTP/2 has none, and warns.
  if (reason === undefined) delete (response as { statusMessage?: string }).statusMessage
  else response.statusMessage = reason
  const lines = new Map<string, [name: string, values: string[]]>()
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    const known = lines.get(lower)
    if (known === undefined) lines.set(lower, [name, [value]])
    else known[1].push(value)
  }
  for (const [lower, [name, values]] of lines) {
    // Both tell caches on the way to the client what they have to know.
    if (lower === 'cache-status' || lower === 'vary') response.appendHeader(name, values)
    else response.setHeader(name, values.length === 1 ? (values[0] ?? '') : values)
  }
  const hasBody = status !== 304 && status !== 204
  if (hasBody && !lines.has('content-length')) response.setHeader('Content-Length', body.length)
  response.end(hasBody ? body : undefined)
}
