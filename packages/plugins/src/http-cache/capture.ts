/**
 * Takes what a handler writes to a response, in the place of the client, until it is known what becomes of it.
 *
 * The methods that write are replaced on the response itself and brought back before anything is sent. So what stands before the cache and
 * has replaced them too, such as compression, gets what is sent, and not what is held. Fields that were set before the cache was
 * reached are the request's own: they are no part of what is held, and stay.
 */

import type { OutgoingHttpHeader, ServerResponse } from 'node:http'
import { OF_CONTENT } from './conditional.ts'
import type { Rendering, RenderOptions, ResponseHead } from './exchange.ts'
import type { FieldLines } from './fields.ts'
import { type Replaced, restore, SETTING, type WRITING } from './replaced-methods.ts'
import { applyHeaders, headersOf, reasonOf } from './written-head.ts'

type Done = ((error?: Error | null) => void) | undefined
type Judge = (head: ResponseHead) => 'hold' | 'pass'

const NOT_MODIFIED = 304

export class Capture {
  readonly #response: ServerResponse
  /** What was set before, by name in lower case. */
  readonly #outer = new Map<string, readonly [name: string, value: OutgoingHttpHeader]>()
  readonly #before = new Map<Replaced, PropertyDescriptor | undefined>()
  /** What stands here in the place of what was there. Something behind the cache may have it, and call it at any time. */
  readonly #own = new Map<Replaced, PropertyDescriptor>()
  #isHolding = false
  #isFlushed = false
  #isDropped = false
  #judge: Judge = () => 'pass'
  #isUnchanged: RenderOptions['isUnchanged'] = () => false
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
  render({
    maxBody,
    holds,
    isUnchanged,
    ...passing
  }: Omit<RenderOptions, 'fields'>): Promise<Rendering> {
    this.#maxBody = maxBody
    this.#isUnchanged = isUnchanged
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
    if (this.#isUnchanged(this.#head)) {
      this.#sayUnchanged()
      return
    }
    const { status, reason } = this.#head
    this.#call('writeHead', [status, ...(reason === undefined ? [] : [reason])])
    if (this.#isFlushed) this.#call('flushHeaders', [])
    const chunks = this.#chunks
    this.#chunks = []
    for (const chunk of chunks) this.#call('write', [chunk])
    if (this.#isEnded) this.#call('end', [])
  }

  /** Makes the response as it was before the handler, so that something else can be sent. */
  release(): void {
    const response = this.#response
    this.#bringBack()
    // What stands behind the cache has had its say, and would take the answer for the handler's.
    for (const [name, descriptor] of this.#before) restore(response, name, descriptor)
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
    this.#isDropped = true
    this.#chunks = []
    this.#replace()
    for (const name of SETTING) this.#put(name, { value: () => this.#response })
  }

  get #headNow(): ResponseHead {
    const { statusCode } = this.#response
    return this.#head ?? { status: statusCode, reason: undefined, fields: [], outer: [] }
  }

  #replace(): void {
    this.#isHolding = true
    this.#put('writeHead', { value: this.#writeHead })
    this.#put('flushHeaders', { value: this.#flushHeaders })
    this.#put('write', { value: this.#write })
    this.#put('end', { value: this.#end })
    this.#put('headersSent', { get: () => this.#head !== undefined })
    this.#put('writableEnded', { get: () => this.#isEnded })
  }

  readonly #writeHead = (...args: readonly unknown[]): ServerResponse => {
    const response = this.#response
    if (!this.#isHolding) return this.#call('writeHead', args) as ServerResponse
    if (this.#head !== undefined) return response
    const [status, second, third] = args
    response.statusCode = Number(status)
    if (typeof second === 'string') response.statusMessage = second
    applyHeaders(response, typeof second === 'string' ? third : second)
    this.#open()
    return response
  }

  readonly #flushHeaders = (): void => {
    if (!this.#begin()) this.#call('flushHeaders', [])
    else this.#isFlushed = true
  }

  readonly #write = (...args: readonly unknown[]): boolean => {
    if (!this.#begin()) return this.#call('write', args) as boolean
    const [chunk, encoding, done] = args
    if (this.#isEnded) return false
    this.#take(chunk, encoding)
    const callback = (typeof encoding === 'function' ? encoding : done) as Done
    if (callback !== undefined) queueMicrotask(() => callback())
    return true
  }

  readonly #end = (...args: readonly unknown[]): ServerResponse => {
    const response = this.#response
    if (!this.#begin()) return this.#call('end', args) as ServerResponse
    if (this.#isEnded) return response
    const done = args.find((each) => typeof each === 'function') as Done
    const [chunk, encoding] = args
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function')
      this.#take(chunk, encoding)
    if (this.#isDropped) {
      this.#isEnded = true
      if (done !== undefined) queueMicrotask(() => done())
      return response
    }
    // Taking it may have been too much.
    if (!this.#isHolding)
      return this.#call('end', done === undefined ? [] : [done]) as ServerResponse
    this.#isEnded = true
    this.#whenSent.push(done)
    this.#onEnd(Buffer.concat(this.#chunks))
    return response
  }

  /**
   * Makes the head as node does, by `writeHead`: sessions and others behind the cache have replaced it, to set a cookie at the last
   * moment. False where the response is not held.
   */
  #begin(): boolean {
    const response = this.#response
    if (this.#isHolding && this.#head === undefined) response.writeHead(response.statusCode)
    if (this.#isHolding && this.#head === undefined) this.#open()
    return this.#isHolding
  }

  #open(): void {
    const response = this.#response
    this.#head = {
      status: response.statusCode,
      reason: reasonOf(response),
      ...this.#sortedFields(),
    }
    if (this.#judge(this.#head) === 'hold') return
    this.#bringBack()
    this.#mark()
    if (this.#isUnchanged(this.#head)) this.#sayUnchanged()
    this.#onPassed('head')
  }

  /** As the handler would, had it seen what its client asks. What it still writes has nowhere to go. */
  #sayUnchanged(): void {
    const response = this.#response
    for (const name of OF_CONTENT) response.removeHeader(name)
    response.statusCode = NOT_MODIFIED
    if (!('stream' in response)) response.statusMessage = ''
    this.#call('end', [])
    this.drop()
  }

  /** Calls what was there before. */
  #call(name: (typeof WRITING)[number], args: readonly unknown[]): unknown {
    const response = this.#response
    const method: unknown =
      this.#before.get(name)?.value ?? Reflect.get(Object.getPrototypeOf(response), name, response)
    return Reflect.apply(method as () => unknown, response, args)
  }

  /** What clients are told, and others are not. */
  #mark(): void {
    const { added, hidden } = this.#passing
    if (hidden !== undefined) this.#response.removeHeader(hidden)
    for (const [name, value] of added) this.#response.appendHeader(name, value)
  }

  #take(chunk: unknown, encoding: unknown): void {
    if (this.#isDropped) return
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
    this.#own.set(name, descriptor)
    Object.defineProperty(this.#response, name, {
      ...descriptor,
      ...('value' in descriptor ? { writable: true } : {}),
      configurable: true,
      enumerable: false,
    })
  }

  /** What was put in the place of what stands here stays: it calls that, and that passes it on. */
  #bringBack(): void {
    this.#isHolding = false
    for (const [name, own] of this.#own) {
      const now = Object.getOwnPropertyDescriptor(this.#response, name)
      if (now?.value === own.value && now?.get === own.get)
        restore(this.#response, name, this.#before.get(name))
    }
    this.#own.clear()
  }
}

function nothing(): void {}
