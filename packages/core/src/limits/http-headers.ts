/**
 * Verdicts in HTTP: the fields of draft-ietf-httpapi-ratelimit-headers-10, `Retry-After` (RFC 9110), and the
 * problem type of the same draft (RFC 9457).
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertKnownOptions, assertText } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { assertVerdict, type PolicyUsage, type RateLimitVerdict } from './verdict.ts'

export interface RateLimitHeaderOptions {
  /** Also `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now), of the deciding policy. @default false */
  readonly legacy?: boolean | undefined
  /** Adds up to this much to `Retry-After`, at random, so that refused clients do not all come back at once. @default 0 */
  readonly jitter?: Duration | undefined
  /** What the limit counts by, for the `pk` parameter; it is shown to the client. @default none */
  readonly partitionKey?: string | undefined
}

/** Part of a problem document (RFC 9457) about a refused request. */
export interface RateLimitProblem {
  readonly type: string
  readonly title: string
  readonly status: 429
  readonly 'violated-policies': readonly string[]
}

const NAMES = optionNames<RateLimitHeaderOptions>({
  legacy: true,
  jitter: true,
  partitionKey: true,
})
/** What holds when nobody says otherwise. */
export const HEADER_DEFAULTS = {
  legacy: false,
  jitter: 0,
} as const satisfies RateLimitHeaderOptions
const WHERE = 'rateLimitHeaders'
const MS_PER_SECOND = 1_000

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
  const { legacy = HEADER_DEFAULTS.legacy, jitter = HEADER_DEFAULTS.jitter, partitionKey } = options
  assertBoolean(legacy, `${WHERE}.legacy`)
  const jitterMs = parseDuration(jitter, `${WHERE}.jitter`)
  if (verdict.source === 'open' || verdict.source === 'off') return {}
  const pk = partitionKey === undefined ? '' : `;pk=${byteSequence(partitionKey)}`
  return {
    'RateLimit-Policy': verdict.policies.map((policy) => policyItem(policy) + pk).join(', '),
    RateLimit: serviceLimit(verdict, pk),
    ...retryAfter(verdict, jitterMs),
    ...(legacy ? legacyHeaders(verdict) : {}),
  }
}

/**
 * Returns what a problem document says about a refused call.
 *
 * @example response.status(429).type('application/problem+json').send(rateLimitProblem(verdict))
 */
export function rateLimitProblem(verdict: Pick<RateLimitVerdict, 'policy'>): RateLimitProblem {
  assertText(verdict?.policy, 'rateLimitProblem.verdict.policy')
  return {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
    'violated-policies': [verdict.policy],
  }
}

/** `"burst";q=20;w=1`: what is allowed. */
function policyItem({ name, limit, windowMs, algorithm }: PolicyUsage): string {
  const unit = algorithm === 'concurrency' ? ';qu="concurrent-requests"' : ''
  const window =
    windowMs === undefined ? '' : `;w=${Math.max(1, Math.ceil(windowMs / MS_PER_SECOND))}`
  return `${quoted(name)};q=${limit}${unit}${window}`
}

/**
 * `"burst";r=5;t=1`: what is left. For a refused call only the policy that refused is named: `Retry-After` must not be
 * earlier than any `t`, and that of another policy says nothing about when this call can succeed.
 */
function serviceLimit(verdict: RateLimitVerdict, pk: string): string {
  if (!verdict.allowed) {
    // A limit of 0 has no time at which to come back.
    const t = Number.isFinite(verdict.retryAfterMs) ? `;t=${seconds(verdict.retryAfterMs)}` : ''
    return `${quoted(verdict.policy)};r=${verdict.remaining}${t}${pk}`
  }
  const items = verdict.policies.map(
    ({ name, remaining, resetMs }) => `${quoted(name)};r=${remaining};t=${seconds(resetMs)}${pk}`,
  )
  return items.join(', ')
}

function retryAfter(
  { allowed, retryAfterMs }: RateLimitVerdict,
  jitterMs: number,
): Record<string, string> {
  if (allowed || !Number.isFinite(retryAfterMs)) return {}
  return { 'Retry-After': String(seconds(retryAfterMs + Math.random() * jitterMs)) }
}

function legacyHeaders({ limit, remaining, resetMs }: RateLimitVerdict): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(seconds(resetMs)),
  }
}

function seconds(ms: number): number {
  return Math.ceil(ms / MS_PER_SECOND)
}

/** A String of RFC 9651; names of policies contain nothing that must be escaped. */
function quoted(text: string): string {
  return `"${text}"`
}

/** A Byte Sequence of RFC 9651. */
function byteSequence(text: string): string {
  if (typeof text === 'string') return `:${Buffer.from(text).toString('base64')}:`
  const expected = 'a string'
  throw new InvalidOptionError({ option: `${WHERE}.partitionKey`, expected, received: text })
}
