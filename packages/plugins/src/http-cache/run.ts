/**
 * The handler of one request, run for the cache at most once.
 *
 * The engine below loads under a key when it decides to: for this request, in the place of another one that takes too long, or behind
 * a request that was answered with something stale. A handler needs a request and its response. So the last of these loads
 * nothing: it notes that the next request is to have the response made anew.
 */

import { assertTags } from '@larder/core/store'
import { conditionsOf, isUnchanged, statusField } from './answers.ts'
import type { Exchange, Rendering, ResponseHead } from './exchange.ts'
import type { UncachedReason } from './http-cache-options.ts'
import type { CachedPlan } from './request-plan.ts'
import type { ResolvedHttpCache } from './resolve-http-cache.ts'
import { freshened, NOT_MODIFIED } from './revalidation.ts'
import { matches, refusal, type StoredResponse, storedOf } from './stored-response.ts'

/** What a load may come to: a response for all, or one that is for its own request alone, or none. */
export type Loaded = StoredResponse | Apart | typeof NO_REQUEST

/** The response went, or goes, to the request whose handler ran. */
export interface Apart {
  readonly kind: 'apart'
}

/** The request of the load was answered already. */
export const NO_REQUEST = { kind: 'no-request' } as const

/** The client of the request whose handler ran has gone, and the handler has not finished. */
export class ClientGone extends Error {}

/** The handler answered with 500 or above, which is nobody else's answer. */
class HandlerFailed extends Error {}

const FIRST_FAILURE = 500

export interface RunParts<Request> {
  readonly exchange: Exchange
  readonly plan: CachedPlan
  readonly request: Request
  readonly options: ResolvedHttpCache<Request>
  /** On the clock that all nodes have in common, ms since the epoch. */
  readonly now: () => number
}

export class Run<Request> {
  /** Nothing can be rendered for the request any more. */
  isAnswered = false
  /** What it has loaded. */
  product: Loaded | undefined
  why: UncachedReason | undefined
  /** What the user's own function threw. */
  failure: { readonly error: unknown } | undefined
  readonly #parts: RunParts<Request>
  #rendering: Promise<Rendering> | undefined
  #loading: Promise<Loaded> | undefined

  constructor(parts: RunParts<Request>) {
    this.#parts = parts
  }

  get isStarted(): boolean {
    return this.#rendering !== undefined
  }

  /** How the handler's response ended; to be asked of a run that has started. */
  get rendering(): Promise<Rendering> {
    return this.#rendering ?? Promise.resolve({ kind: 'gone' })
  }

  /** `previous`: an older response, which may be served where the handler fails, and may still hold. */
  load(previous: Loaded | undefined): Promise<Loaded> {
    this.#loading ??= this.#load(previous?.kind === 'response' ? previous : undefined)
    return this.#loading
  }

  async #load(previous: StoredResponse | undefined): Promise<Loaded> {
    const { exchange, plan, request, options, now } = this.#parts
    // Before the handler, which may change what they are made of.
    const tags = this.#tagsOf(request)
    const common = options as unknown as ResolvedHttpCache<never>
    const conditions = conditionsOf(exchange)
    const asked = previous !== undefined && matches(previous, plan) ? previous : undefined
    this.#rendering = exchange
      .render({
        fields: new Map([...plan.fields, ...Object.entries(asked?.validators ?? {})]),
        maxBody: options.maxBody,
        added: statusField({ fwd: 'uri-miss' }, common),
        hidden: options.targets[0],
        isUnchanged: ({ status, fields, outer }) =>
          isUnchanged({ status, fields: [...fields, ...outer] }, conditions, now()),
        holds: (head) => {
          if (head.status >= FIRST_FAILURE) return previous !== undefined
          if (head.status === NOT_MODIFIED && asked !== undefined) return true
          this.why = tags === undefined ? 'tags' : refusal(head, plan, common, now())
          return this.why === undefined
        },
      })
      .then((rendering) => this.#whole(rendering, asked))
    const rendering = await this.#rendering
    if (rendering.kind === 'gone') throw new ClientGone('The client has gone')
    const head = rendering.kind === 'whole' ? rendering.response : rendering.head
    if (head.status >= FIRST_FAILURE) throw new HandlerFailed(`The handler answered ${head.status}`)
    this.product = this.#productOf(rendering, tags ?? [])
    if (this.product.kind === 'apart') this.#report(head)
    return this.product
  }

  /** A response that still holds, with what the handler says of it now. */
  #whole(rendering: Rendering, asked: StoredResponse | undefined): Rendering {
    if (rendering.kind !== 'whole' || asked === undefined) return rendering
    if (rendering.response.status !== NOT_MODIFIED) return rendering
    const response = freshened(asked, rendering.response)
    const { plan, options, now } = this.#parts
    this.why = refusal(response, plan, options as unknown as ResolvedHttpCache<never>, now())
    return { kind: 'whole', response }
  }

  /**
   * What the user's function throws is the request's error, and not one of the cache. `undefined`: one of the texts cannot be a tag. They
   * are made of what strangers send, whom the handler has to answer all the same.
   */
  #tagsOf(request: Request): readonly string[] | undefined {
    try {
      const tags: unknown = this.#parts.options.tagsOf(request)
      const areTexts = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
      if (areTexts && !areTags(tags)) return undefined
      assertTags(tags, 'httpCache.tags')
      return tags
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }

  #productOf(rendering: Rendering, tags: readonly string[]): StoredResponse | Apart {
    const { plan, options, now } = this.#parts
    if (rendering.kind !== 'whole') {
      if (rendering.kind === 'passed' && rendering.why === 'size') this.why = 'size'
      return { kind: 'apart' }
    }
    if (this.why !== undefined) return { kind: 'apart' }
    const common = options as unknown as ResolvedHttpCache<never>
    const made = storedOf(rendering.response, { plan, tags, nowMs: now() }, common)
    if (typeof made !== 'string') return made
    this.why = made
    return { kind: 'apart' }
  }

  #report({ status }: ResponseHead): void {
    const { options, plan } = this.#parts
    options.onUncached({ reason: this.why ?? 'status', path: plan.path, status })
  }
}

function areTags(texts: readonly string[]): boolean {
  try {
    assertTags(texts, 'httpCache.tags')
    return true
  } catch {
    return false
  }
}
