/** What clients get: of what is stored, and of what their own request had rendered. */

import { type CacheStatus, cacheStatusField } from './cache-status.ts'
import { type Conditions, isNotModified, notModifiedFields } from './conditional.ts'
import type { Exchange, ReadyResponse } from './exchange.ts'
import { type FieldLines, linesOf } from './fields.ts'
import { isOfSame, partOf, type Range } from './parts.ts'
import type { ResolvedHttpCache } from './resolve-http-cache.ts'
import type { StoredResponse } from './stored-response.ts'
import { stringItem } from './structured-fields.ts'

const MS = 1_000
const NOT_MODIFIED = 304
/** How a handler meant to send it: it goes out as a whole, with its length. Both fields in one head would make two responses of one. */
const OF_SENDING = new Set(['trailer', 'transfer-encoding'])
const NO_BYTES = new Uint8Array(0)

/** What answers depend on beside the response. */
export interface AnswerContext {
  readonly exchange: Exchange
  readonly options: ResolvedHttpCache<never>
  readonly range: Range | undefined
  readonly nowMs: number
}

/** Makes the answer from the cache. */
export function answerOf(
  stored: StoredResponse,
  context: AnswerContext,
  status: CacheStatus,
): ReadyResponse {
  const { options, nowMs } = context
  const ageMs = ageOf(stored, nowMs)
  const ttl = (stored.freshMs + stored.initialAgeMs - ageMs) / MS
  const fields: FieldLines = [
    ...stored.fields,
    ['Age', String(Math.floor(ageMs / MS))],
    ...groupField(stored, options),
    ...statusField({ ttl, ...status }, options),
  ]
  const whole = { status: stored.status, reason: stored.reason, fields, body: stored.body }
  const answer = conditional(whole, context)
  const { range, exchange } = context
  if (answer.status !== 200 || range === undefined) return answer
  return isOfSame(exchange.field('if-range'), answer) ? partOf(answer, range) : answer
}

/** Makes the answer for the request whose handler ran. It has what was kept from others, such as a cookie that does not matter. */
export function ownAnswer(
  response: ReadyResponse,
  stored: StoredResponse | undefined,
  context: AnswerContext,
  status: CacheStatus,
): ReadyResponse {
  const { options } = context
  const own = options.targets[0]
  const fields = response.fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return lower !== own && !OF_SENDING.has(lower)
  })
  const missing = stored === undefined ? [] : addedByStoring(response, stored)
  const groups = stored === undefined ? [] : groupField(stored, options)
  const all = [...fields, ...missing, ...groups, ...statusField(status, options)]
  return conditional({ ...response, fields: all }, context)
}

export function statusField(
  status: CacheStatus,
  { cacheStatus }: ResolvedHttpCache<never>,
): FieldLines {
  return cacheStatus ? [['Cache-Status', cacheStatusField(status)]] : []
}

/** RFC 9111, 4.2.3: never below 0. */
function ageOf({ at, initialAgeMs }: StoredResponse, nowMs: number): number {
  return initialAgeMs + Math.max(0, nowMs - at)
}

/** Tells whether a response is one that its client has already. The handler does not see what the client asks, so the cache looks. */
export function isUnchanged(
  { status, fields }: Pick<ReadyResponse, 'status' | 'fields'>,
  conditions: Conditions,
  nowMs: number,
): boolean {
  return (status === 200 || status === 203) && isNotModified(conditions, fields, nowMs)
}

/** To be asked before the handler runs, from which they are hidden. */
export function conditionsOf(exchange: Exchange): Conditions {
  return {
    ifNoneMatch: exchange.field('if-none-match'),
    ifModifiedSince: exchange.field('if-modified-since'),
  }
}

function conditional(response: ReadyResponse, { exchange, nowMs }: AnswerContext): ReadyResponse {
  const { fields } = response
  if (!isUnchanged(response, conditionsOf(exchange), nowMs)) return response
  const own = fields.filter(([name]) => /^(?:age|cache-status|cache-groups)$/i.test(name))
  return {
    status: NOT_MODIFIED,
    reason: undefined,
    fields: [...notModifiedFields(fields), ...own],
    body: NO_BYTES,
  }
}

/** What the stored form has and the handler did not say: `ETag`. */
function addedByStoring(response: ReadyResponse, stored: StoredResponse): FieldLines {
  return stored.fields.filter(
    ([name]) => name === 'ETag' && linesOf(response.fields, name).length === 0,
  )
}

function groupField(
  { tags, fields }: StoredResponse,
  options: ResolvedHttpCache<never>,
): FieldLines {
  if (!options.advertiseTags || linesOf(fields, 'cache-groups').length > 0) return []
  const items = tags.map(stringItem).filter((item) => item !== undefined)
  return items.length === 0 ? [] : [['Cache-Groups', items.join(', ')]]
}
