/** A request and its response of Hono. */

import type { Context } from 'hono'
import { OF_CONTENT } from '../http-cache/conditional.ts'
import type {
  AddedFields,
  Exchange,
  ReadyResponse,
  Rendering,
  RenderOptions,
  ResponseHead,
} from '../http-cache/exchange.ts'
import type { FieldLines } from '../http-cache/fields.ts'
import { leavePlace, type Place, placeIn } from '../http-cache/place.ts'

/** Where a narrowed request says it went, unless `vary` has its host. */
const NO_HOST = 'localhost'

const DEFAULT_PORT = /:(?:80|443)$/
const HOST = /^[\w.\-:[\]]+$/
/** Fields of which the cache's lines stand beside those from before it. */
const ADDING = new Set(['cache-status', 'set-cookie', 'vary'])

/** The request of node:http, which servers hand over in `env`; Express and its like keep the target there that they cut. */
interface Incoming {
  readonly url?: unknown
  readonly originalUrl?: unknown
}

export class FetchExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly seen: string
  readonly place: Place
  readonly #c: Context
  readonly #next: () => Promise<void>
  /** What was set before the cache was reached: it belongs to this request alone. */
  readonly #outer: FieldLines
  /** The request of node, where there is one. */
  readonly #incoming: Incoming | undefined
  #rendering: Promise<Rendering> | undefined

  constructor(c: Context, next: () => Promise<void>) {
    this.#c = c
    this.#next = next
    this.method = c.req.method
    const { url } = c.req
    const from = url.indexOf('/', url.indexOf('//') + 2)
    const isOfHost = hostOf(`http://${this.field('host')}`) === hostOf(url)
    // An absolute target names another host than the field: whatever reads one of them does not know of the other.
    this.seen = isOfHost ? (from < 0 ? '/' : url.slice(from)) : url
    this.#incoming = incomingOf(c)
    // An application that is mounted in another one has a request without the path at which it stands.
    this.target = isOfHost ? (sentTarget(this.#incoming) ?? this.seen) : url
    const protocol = url.slice(0, url.indexOf(':'))
    const { raw } = c.req
    const field = (name: string): string | undefined =>
      raw.headers.get(name) ?? (name === 'host' ? hostOf(url) : undefined)
    const own = { host: field('host') ?? '', protocol, hostname: '', route: '', field }
    this.place = placeIn([c.req.raw, this.#incoming], own)
    this.#outer = outerLines(c)
  }

  get signal(): AbortSignal {
    return this.#c.req.raw.signal
  }

  get hasBody(): boolean {
    const length = this.field('content-length')
    return this.field('transfer-encoding') !== undefined || (length ?? '0') !== '0'
  }

  field(name: string): string | undefined {
    return this.#c.req.header(name) ?? (name === 'host' ? hostOf(this.#c.req.url) : undefined)
  }

  async pass(added: AddedFields): Promise<void> {
    await this.#next()
    this.#add(added)
  }

  async passAfter(
    added: AddedFields,
    before: (head: ResponseHead) => Promise<void>,
  ): Promise<void> {
    await this.#next()
    await before(this.#headOf(this.#c.res))
    this.#add(added)
  }

  render(options: RenderOptions): Promise<Rendering> {
    this.#rendering ??= this.#render(options)
    return this.#rendering
  }

  async #render({ fields, maxBody, holds, ...passing }: RenderOptions): Promise<Rendering> {
    const c = this.#c
    const { raw } = c.req
    const seen = narrowed(raw, { target: this.seen, protocol: this.place.protocol }, fields)
    // What is mounted further in has a request of its own, made of neither of these.
    const leave = [seen, this.#incoming].map((each) => each && leavePlace(each, this.place))
    c.req.raw = seen
    try {
      await this.#next()
    } finally {
      for (const each of leave) each?.()
      c.req.raw = raw
    }
    const response = c.res
    const head = this.#headOf(response)
    if (!holds(head)) {
      this.#letPass(head, response, passing)
      return { kind: 'passed', head, why: 'head' }
    }
    const body = await readBody(response, maxBody)
    if (body instanceof Uint8Array) return { kind: 'whole', response: { ...head, body } }
    this.#letPass(head, new Response(body, response), passing)
    return { kind: 'passed', head, why: 'size' }
  }

  #letPass(
    head: ResponseHead,
    response: Response,
    { added, hidden, isUnchanged }: Pick<RenderOptions, 'added' | 'hidden' | 'isUnchanged'>,
  ): void {
    const c = this.#c
    if (isUnchanged(head)) {
      const headers = new Headers(response.headers)
      for (const name of OF_CONTENT) headers.delete(name)
      response.body?.cancel().catch(() => undefined)
      this.#put(new Response(null, { status: 304, headers }))
    } else if (response !== c.res) this.#put(response)
    if (hidden !== undefined) c.header(hidden, undefined)
    this.#add(added)
  }

  async answer({ status, fields, body }: ReadyResponse): Promise<void> {
    const headers = new Headers([...this.#outer] as [string, string][])
    const own = new Set<string>()
    for (const [name, value] of fields) {
      const lower = name.toLowerCase()
      const adds = own.has(lower) || ADDING.has(lower)
      if (adds) headers.append(name, value)
      else headers.set(name, value)
      own.add(lower)
    }
    const hasBody = status !== 304 && status !== 204 && status !== 205
    if (hasBody && !headers.has('content-length')) headers.set('Content-Length', `${body.length}`)
    this.#put(new Response(hasBody ? (body as Uint8Array<ArrayBuffer>) : null, { status, headers }))
  }

  /** In the place of what is there, of which nothing stays. */
  #put(response: Response): void {
    this.#c.res = undefined
    this.#c.res = response
  }

  #add(added: AddedFields): void {
    for (const [name, value] of added) this.#c.header(name, value, { append: true })
  }

  #headOf({ status, headers }: Response): ResponseHead {
    // A response of the handler's own has lost what was set before; that holds all the same.
    const isOuter = ([name, value]: FieldLines[number]): boolean =>
      this.#outer.some((line) => line[0] === name && line[1] === value)
    const fields = linesOf(headers).filter((line) => !isOuter(line))
    return { status, reason: undefined, fields, outer: this.#outer }
  }
}

/** Looking at the response makes one, whose fields would then replace the handler's. So it is taken away again. */
function outerLines(c: Context): FieldLines {
  if (c.finalized) return linesOf(c.res.headers)
  const lines = linesOf(c.res.headers)
  c.res = undefined
  c.finalized = false
  return lines
}

function incomingOf({ env }: Context): Incoming | undefined {
  const found = (env as { readonly incoming?: unknown } | undefined)?.incoming
  return typeof found === 'object' && found !== null ? found : undefined
}

/** The target as the client sent it, whatever it was mounted in. */
function sentTarget(incoming: Incoming | undefined): string | undefined {
  const target = incoming?.originalUrl ?? incoming?.url
  return typeof target === 'string' && target.startsWith('/') ? target : undefined
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host.replace(DEFAULT_PORT, '') : undefined
}

function linesOf(headers: Headers): FieldLines {
  return [...headers].map(([name, value]) => [name, value] as const)
}

/**
 * Has the fields that the key covers, and no others. Its address is made of those, too: an absolute target says another host than the
 * field does.
 */
function narrowed(
  raw: Request,
  { target, protocol }: { readonly target: string; readonly protocol: string },
  fields: ReadonlyMap<string, string>,
): Request {
  const said = fields.get('host') ?? NO_HOST
  const host = HOST.test(said) && URL.canParse(`http://${said}`) ? said : NO_HOST
  const headers = [...fields] as [string, string][]
  return new Request(`${protocol}://${host}${target}`, { method: raw.method, headers })
}

/** The whole body; or, where it is larger than `most`, a stream of all of it. */
async function readBody(
  response: Response,
  most: number,
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  const { body } = response
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    chunks.push(value)
    bytes += value.length
    if (bytes > most) return continued(chunks, reader)
  }
}

function continued(
  chunks: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
