/** The options of rate limits for HTTP: what all frameworks have in common. */

import type { Duration, Key, Limiter, RateLimitDraft } from '@larder/core'

/** Whom a request counts for. A `KeyError`, as `ipKey` throws for what is not an address, is answered with 400. */
export type LimitKey<Request> = (request: Request) => Key | PromiseLike<Key>

/** What a request costs. */
export type LimitCost<Request> = number | ((request: Request) => number | PromiseLike<number>)

/** A limiter, and what it counts. */
export interface LimitedBy<Request> {
  /** Of `caches.limiter`. Give it a name: it is the name of its only policy in the fields of responses. */
  readonly limiter: Limiter
  /** Whom a request counts for. */
  readonly key: LimitKey<Request>
  /**
   * What a request costs. A cost that is returned and above the limit is refused for ever, because clients can cause it; a number
   * above the limit is an error. @default 1
   */
  readonly cost?: LimitCost<Request> | undefined
}

/** The same where the framework knows the address of a client. */
export interface AddressLimit<Request> extends Omit<LimitedBy<Request>, 'key'> {
  /** Whom a request counts for; `'address'`: the address of the client, an IPv6 address by its network. @default 'address' */
  readonly key?: 'address' | LimitKey<Request> | undefined
}

/** For frameworks that can be set to trust what a client says about its address. */
export interface ProxyTrust {
  /**
   * True: every proxy may be trusted, because this process can only be reached through yours. Otherwise a limit by address is an error
   * when `trust proxy` trusts every proxy: clients would choose their address, and with it a limit of their own. @default false
   */
  readonly trustsAnyProxy?: boolean | undefined
}

/** What a problem document (RFC 9457) says. */
export interface HttpProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly 'violated-policies'?: readonly string[]
}

/** How a limit applies, whatever it counts. */
export interface RateLimitSettings<Request> {
  /** True lets a request pass without counting it. @default none is skipped, whatever its method */
  readonly skip?: ((request: Request) => boolean | PromiseLike<boolean>) | undefined
  /**
   * True gives a request back after its response, as if it had never come; a client that leaves before its response does not get it back.
   * @default none is given back
   */
  readonly refundIf?:
    | ((status: number, request: Request) => boolean | PromiseLike<boolean>)
    | undefined
  /**
   * What happens where a limiter cannot decide, as `RateLimitUnavailableError` tells: `closed` answers 503, `open` lets the request pass.
   * @default 'closed'
   */
  readonly onStoreError?: 'open' | 'closed' | undefined
  /** The draft of the fields `RateLimit` and `RateLimit-Policy`: 10 or 11. @default 11 */
  readonly draft?: RateLimitDraft | undefined
  /** Also `X-RateLimit-Limit`, `-Remaining` and `-Reset`, of the policy with the smallest part left. @default false */
  readonly legacy?: boolean | undefined
  /** Adds up to this much to `Retry-After`, at random. @default 0 */
  readonly jitter?: Duration | undefined
  /**
   * What is counted by, for the parameter `pk`; it is shown to the client, and its SHA-256 digest where it has more than 128 bytes.
   * @default none
   */
  readonly partitionKey?: string | ((request: Request) => string | undefined) | undefined
  /** Returns the problem document of a refused request, from the one that would be sent. @default that one */
  readonly problem?: ((problem: HttpProblem, request: Request) => object) | undefined
}

/** One limiter, or several in one decision: a request is admitted by all of them, or counts in none. */
export type RateLimitOptions<Request, Limit = LimitedBy<Request>> = RateLimitSettings<Request> &
  (
    | (Limit & { readonly limits?: undefined })
    | {
        /** Asked in this order; 1 to 16. */
        readonly limits: readonly [Limit, ...Limit[]]
        readonly limiter?: undefined
        readonly key?: undefined
        readonly cost?: undefined
      }
  )
