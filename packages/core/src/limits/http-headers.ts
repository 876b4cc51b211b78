/** Verdicts as fields of HTTP responses: those of draft-ietf-httpapi-ratelimit-headers, and `Retry-After` (RFC 9110). */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { limitField, policyField, type RateLimitDraft, secondsOf } from './rate-limit-fields.ts'
import { assertVerdict, type RateLimitVerdict } from './verdict.ts'

export interface RateLimitHeaderOptions {
  /**
   * Which draft of the fields. They look the same in both; in 11, `t` of an admitted call is the time within which no more than `r` should be
   * used, and in 10 the time until everything is available again. @default 11
   */
  readonly draft?: RateLimitDraft | undefined
  /** Also `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now), of the deciding policy. @default false */
  readonly legacy?: boolean | undefined
  /** Adds up to this much to `Retry-After`, at random, so that refused clients do not all come back at once. @default 0 */
  readonly jitter?: Duration | undefined
  /**
   * What the limit counts by, for the `pk` parameter; it is shown to the client. Of more than 128 bytes of UTF-8 the SHA-256 digest is, because
   * clients can often make it long, and fields have to stay short. @default none
   */
  readonly partitionKey?: string | undefined
}

const NAMES = optionNames<RateLimitHeaderOptions>({
  draft: true,
  legacy: true,
  jitter: true,
  partitionKey: true,
})
/** The defaults. */
export const HEADER_DEFAULTS = {
  draft: 11,
  legacy: false,
  jitter: 0,
} as const satisfies RateLimitHeaderOptions
const WHERE = 'rateLimitHeaders'
/** Of `pk`, which each policy has twice in the fields of a response. */
const MOST_KEY_BYTES = 128

/**
 * Returns the header fields of a response to a call that was decided. A verdict of `open` or `off` has no fields, because
 * the store could not be asked or the limiter is off: there is nothing true to say.
 *
 * @throws InvalidOptionError
 * @example
 * const verdict = await limiter.consume(request.ip)
 * for (const [name, value] of Object.entries(rateLimitHeaders(verdict))) response.setHeader(name, value)
 */
export function rateLimitHeaders(
  verdict: RateLimitVerdict,
  options: RateLimitHeaderOptions = {},
): Readonly<Record<string, string>> {
  assertVerdict(verdict, `${WHERE}.verdict`)
  assertKnownOptions(options, NAMES, WHERE)
  const { draft = HEADER_DEFAULTS.draft, legacy = HEADER_DEFAULTS.legacy } = options
  const { jitter = HEADER_DEFAULTS.jitter, partitionKey } = options
  assertOneOf(draft, [10, 11], `${WHERE}.draft`)
  assertBoolean(legacy, `${WHERE}.legacy`)
  const jitterMs = parseDuration(jitter, `${WHERE}.jitter`)
  const pk = partitionKey === undefined ? '' : `;pk=${byteSequence(partitionKey)}`
  if (verdict.source === 'open' || verdict.source === 'off') return {}
  return {
    'RateLimit-Policy': policyField(verdict, { draft, pk }),
    RateLimit: limitField(verdict, { draft, pk }),
    ...retryAfter(verdict, jitterMs),
    ...(legacy ? legacyHeaders(verdict) : {}),
  }
}

function retryAfter(
  { allowed, retryAfterMs }: RateLimitVerdict,
  jitterMs: number,
): Record<string, string> {
  if (allowed || !Number.isFinite(retryAfterMs)) return {}
  return { 'Retry-After': String(secondsOf(retryAfterMs + Math.random() * jitterMs)) }
}

function legacyHeaders({ limit, remaining, resetMs }: RateLimitVerdict): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(secondsOf(resetMs)),
  }
}

/** A Byte Sequence of RFC 9651. A long text is not cut off: two that begin alike are two. */
function byteSequence(text: string): string {
  if (typeof text !== 'string') {
    const expected = 'a string'
    throw new InvalidOptionError({ option: `${WHERE}.partitionKey`, expected, received: text })
  }
  const bytes = Buffer.from(text)
  const isLong = bytes.length > MOST_KEY_BYTES
  const said = isLong ? createHash('sha256').update(bytes).digest() : bytes
  return `:${said.toString('base64')}:`
}
