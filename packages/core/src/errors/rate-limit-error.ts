/** A limit is used up, or cannot be checked. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

export interface RateLimitDetails {
  readonly policy: string
  readonly limit: number
  readonly remaining: number
  /** Milliseconds after which the same call can succeed; Infinity where it never can. */
  readonly retryAfterMs: number
  /** Who decided: the shared store, or this process alone. */
  readonly source: string
}

/** The limit is used up. */
export class RateLimitedError extends LarderError implements RateLimitDetails {
  static {
    markFamily(RateLimitedError)
  }

  readonly policy: string
  readonly limit: number
  readonly remaining: number
  readonly retryAfterMs: number
  readonly source: string

  constructor(key: string, details: RateLimitDetails) {
    super('LARDER_RATE_LIMITED', `The limit${nameOf(details)} of ${key} ${stateOf(details)}`, {
      key,
    })
    this.policy = details.policy
    this.limit = details.limit
    this.remaining = details.remaining
    this.retryAfterMs = details.retryAfterMs
    this.source = details.source
  }

  override get name(): string {
    return 'RateLimitedError'
  }
}

function stateOf({ retryAfterMs }: RateLimitDetails): string {
  if (Number.isFinite(retryAfterMs)) return `is used up; try again in ${retryAfterMs} ms.`
  return 'never admits such a call.'
}

/** The only policy of a limiter usually has no name of its own. */
function nameOf({ policy }: RateLimitDetails): string {
  return policy === 'default' ? '' : ` ${policy}`
}

/** The limit store cannot decide, because it is away or because of what the key holds, and the policy is to refuse then. */
export class RateLimitUnavailableError extends LarderError {
  static {
    markFamily(RateLimitUnavailableError)
  }

  constructor(key: string, cause: unknown) {
    super(
      'LARDER_RATE_LIMIT_UNAVAILABLE',
      `The store of the limit ${key} cannot say whether it is used up.`,
      {
        key,
        cause,
      },
    )
  }

  override get name(): string {
    return 'RateLimitUnavailableError'
  }
}
