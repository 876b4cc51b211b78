/**
 * Takes what a handler writes to a response, in the place of the client, until it is known what becomes of it.
 *
 * The methods that write are replaced on the response itself and brought back before anything is sent. So what stands before the cache and
 * has replaced them too, such as compression, gets what is sent, and not what is held. Fields that were set before the cache was
 * reached are the request's own: they are no part of what is held, and stay.
 */

import type { OutgoingHttpHeader, ServerResponse } from 'node:http'
import type { Rendering, RenderOptions, ResponseHead } from './exchange.ts'
import type { FieldLines } from './fields.ts'

type Done = ((error?: Error | null) => void) | undefined
type Judge = (head: ResponseHead) => 'hold' | 'pass'

const WRITING = [
  'writeHead',
  'write',
  'end',
  'flushHeaders',
  'headersSent',
  'writableEnded',
] as const
const SETTING = ['setHeader', 'appendHeader', 'removeHeader', 'setHeaders'] as const
type Replaced = (typeof WRITING)[number] | (typeof SETTING)[number]

export class Capture {
  readonly #response: ServerResponse
  /** What was set before, by name in lower case. */
  readonly #outer = new Map<string, readonly [name: string, value: OutgoingHttpHeader]>()
  readonly #before = new Map<Replaced, PropertyDescriptor | undefined>()
  #judge: Judge = () => 'pass'
  #passing: Pick<RenderOptions, 'added' | 'hidden'> = { added: [], hidden: undefined }
  #onEnd: (body: Uint8Array) => void = nothing
  #onPassed: (why: 'head' | 'size') => void = nothing
  #onDropped: () => void = nothing
  #maxBody = Number.POSITIVE_INFINITY
  #head: ResponseHead | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #isEnded = false
  #whenSent: Done[] = []

  constructor(response: ServerResponse) {
    this.#response = response
    for (const [name, value] of headersOf(response))
      this.#outer.set(name.toLowerCase(), [name, value])
  }

  /** Holds the response until it is whole, or is not to be held. */
  render({ maxBody, holds, ...passing }: Omit<RenderOptions, 'fields'>): Promise<Rendering> {
    this.#maxBody = maxBody
    this.#passing = passing
    return new Promise((resolve) => {
      this.#judge = (head) => (holds(head) ? 'hold' : 'pass')
      this.#onPassed = (why) => resolve({ kind: 'passed', head: this.#headNow, why })
      this.#onDropped = () => resolve({ kind: 'gone' })
      this.#onEnd = (body) => resolve({ kind: 'whole', response: { ...this.#headNow, body } })
      this.#replace()
    })
  }

  /** Holds the response until `before`, which is told of its head, has resolved; then it goes on as it is. */
  hold(before: (head: ResponseHead) => Promise<void>): void {
    this.#judge = (head) => {
      before(head).then(
        () => this.letPass(),
        () => this.letPass(),
      )
      return 'hold'
    }
    this.#replace()
  }

  /** Sends what was held so far, and lets everything that comes go on as it is. */
  letPass(): void {
    this.#bringBack()
    const response = this.#response
    if (this.#head === undefined || response.headersSent) return
    this.#mark()
    response.writeHead(
      this.#head.status,
      ...(this.#head.reason === undefined ? [] : [this.#head.reason]),
    )
    const chunks = this.#chunks
    this.#chunks = []
    for (const chunk of chunks) response.write(chunk)
    if (this.#isEnded) response.end()
  }

  /** Makes the response as it was before the handler, so that something else can be sent. */
  release(): void {
    this.#bringBack()
    const response = this.#response
    if (response.headersSent) return
    for (const name of response.getHeaderNames())
      if (!this.#outer.has(name)) response.removeHeader(name)
    for (const [name, value] of this.#outer.values()) response.setHeader(name, value)
    for (const done of this.#whenSent) if (done !== undefined) response.once('finish', done)
    this.#whenSent = []
  }

  /** Something else was sent: what the handler still writes is kept from the client. */
  drop(): void {
    if (this.#isEnded) return
    if (this.#head === undefined) this.#onDropped()
    this.#judge = () => 'hold'
    this.#maxBody = Number.POSITIVE_INFINITY
    this.#replace()
    for (const name of SETTING) this.#put(name, { value: () => this.#response })
  }

  get #headNow(): ResponseHead {
    const { statusCode } = this.#response
    return this.#head ?? { status: statusCode, reason: undefined, fields: [], outer: [] }
  }

  #replace(): void {
    const response = this.#response
    const value = (method: unknown): PropertyDescriptor => ({ value: method })
    this.#put('writeHead', value(this.#writeHead))
    this.#put(
      'flushHeaders',
      value(() => void this.#open()),
    )
    this.#put(
      'write',
      value((chunk: unknown, encoding?: unknown, done?: unknown) => {
        const callback = (typeof encoding === 'function' ? encoding : done) as Done
        if (!this.#open()) return response.write(chunk as string, encoding as 'utf8', done as Done)
        this.#take(chunk, encoding)
        if (callback !== undefined) queueMicrotask(() => callback())
        return true
      }),
    )
    this.#put('end', value(this.#end))
    this.#put('headersSent', { get: () => this.#head !== undefined })
    this.#put('writableEnded', { get: () => this.#isEnded })
  }

  readonly #writeHead = (status: number, second?: unknown, third?: unknown): ServerResponse => {
    const response = this.#response
    if (this.#head !== undefined) return response
    response.statusCode = status
    if (typeof second === 'string') response.statusMessage = second
    applyHeaders(response, typeof second === 'string' ? third : second)
    if (this.#open()) return response
    return response
  }

  readonly #end = (first?: unknown, second?: unknown, third?: unknown): ServerResponse => {
    const response = this.#response
    const done = [first, second, third].find((each) => typeof each === 'function') as Done
    const chunk = typeof first === 'function' ? undefined : first
    if (!this.#open()) return response.end(first as string, second as 'utf8', third as never)
    if (this.#isEnded) return response
    if (chunk !== undefined && chunk !== null) this.#take(chunk, second)
    // Taking it may have been too much.
    if (response.end !== this.#end) return done === undefined ? response.end() : response.end(done)
    this.#isEnded = true
    this.#whenSent.push(done)
    this.#onEnd(Buffer.concat(this.#chunks))
    return response
  }

  /** Makes the head where there is none yet. False where the response is not held: its methods are its own again. */
  #open(): boolean {
    if (this.#head !== undefined) return true
    const response = this.#response
    const { statusCode, statusMessage } = response
    this.#head = {
      status: statusCode,
      reason: statusMessage === '' ? undefined : statusMessage,
      ...this.#sortedFields(),
    }
    if (this.#judge(this.#head) === 'hold') return true
    this.#bringBack()
    this.#mark()
    this.#onPassed('head')
    return false
  }

  /** What clients are told, and others are not. */
  #mark(): void {
    const { added, hidden } = this.#passing
    if (hidden !== undefined) this.#response.removeHeader(hidden)
    for (const [name, value] of added) this.#response.appendHeader(name, value)
  }

  #take(chunk: unknown, encoding: unknown): void {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as 'utf8') : 'utf8')
        : Buffer.from(chunk as Uint8Array)
    this.#chunks.push(bytes)
    this.#bytes += bytes.length
    if (this.#bytes <= this.#maxBody) return
    this.letPass()
    this.#onPassed('size')
  }

  /** What the handler has set: fields from before that it left alone are not its own. */
  #sortedFields(): { readonly fields: FieldLines; readonly outer: FieldLines } {
    const fields: [string, string][] = []
    const left: [string, string][] = []
    for (const [name, value] of headersOf(this.#response)) {
      const outer = this.#outer.get(name.toLowerCase())
      const isOuter = outer !== undefined && String(outer[1]) === String(value)
      for (const line of [value].flat()) (isOuter ? left : fields).push([name, String(line)])
    }
    return { fields, outer: left }
  }

  #put(name: Replaced, descriptor: PropertyDescriptor): void {
    if (!this.#before.has(name))
      this.#before.set(name, Object.getOwnPropertyDescriptor(this.#response, name))
    const isMethod = 'value' in descriptor
    Object.defineProperty(this.#response, name, {
      ...descriptor,
      ...(isMethod ? { writable: true } : {}),
      configurable: true,
      enumerable: false,
    })
  }

  #bringBack(): void {
    for (const [name, descriptor] of this.#before) {
      if (descriptor !== undefined) Object.defineProperty(this.#response, name, descriptor)
      else delete (this.#response as unknown as Record<string, unknown>)[name]
    }
    this.#before.clear()
  }
}

/** Of node since 15.4; its types have it on requests alone. */
type WithRawNames = ServerResponse & { getRawHeaderNames?(): string[] }

function nothing(): void {}

function headersOf(response: ServerResponse): readonly (readonly [string, OutgoingHttpHeader])[] {
  const names = (response as WithRawNames).getRawHeaderNames?.() ?? response.getHeaderNames()
  return names.map((name) => [name, response.getHeader(name) ?? ''] as const)
}

/** In all forms that `writeHead` takes: an object, a list of pairs, a flat list. */
function applyHeaders(response: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) response.setHeader(name, value as string)
    return
  }
  const isOfPairs = Array.isArray(headers[0])
  const flat = isOfPairs ? (headers as unknown[][]).flat() : (headers as unknown[])
  const set = new Set<string>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = String(flat[i])
    // Those of the list replace what was set; among themselves they add up.
    if (set.has(name.toLowerCase())) response.appendHeader(name, flat[i + 1] as string)
    else response.setHeader(name, flat[i + 1] as string)
    set.add(name.toLowerCase())
  }
}
