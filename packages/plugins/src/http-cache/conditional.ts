/** Conditional requests (RFC 9110, section 13), answered from a response that is at hand: here, after a hit or a load. */

import { createHash } from 'node:crypto'
import { readDate } from './dates.ts'
import { type FieldLines, fieldValue } from './fields.ts'

/** What a request says about what its client has. */
export interface Conditions {
  readonly ifNoneMatch: string | undefined
  readonly ifModifiedSince: string | undefined
}

/** Fields of a request that ask for a part, or for nothing new: a handler behind the cache must not see them. */
export const CONDITIONAL_FIELDS = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
] as const

/** Fields that a response 304 carries (RFC 9110, 15.4.5), beside those that the cache writes. */
const IN_NOT_MODIFIED = new Set([
  'cache-control',
  'cdn-cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'last-modified',
  'vary',
])

/** Fields about content, which a 304 has none of. What else a response that passes has is its client's own. */
export const OF_CONTENT = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'transfer-encoding',
] as const

const ETAG = /(?:W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"/g

/** Tells whether the client has this very response already. `If-None-Match` decides where it is there. */
export function isNotModified(
  { ifNoneMatch, ifModifiedSince }: Conditions,
  fields: FieldLines,
  nowMs: number,
): boolean {
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return true
    const own = fieldValue(fields, 'etag')
    if (own === undefined) return false
    return (ifNoneMatch.match(ETAG) ?? []).some((tag) => weak(tag) === weak(own))
  }
  if (ifModifiedSince === undefined) return false
  const changed = fieldValue(fields, 'last-modified')
  const since = readDate(ifModifiedSince, nowMs)
  const changedAt = changed === undefined ? undefined : readDate(changed, nowMs)
  return since !== undefined && changedAt !== undefined && changedAt <= since
}

/** The fields of a 304 for a response. */
export function notModifiedFields(fields: FieldLines): FieldLines {
  return fields.filter(([name]) => IN_NOT_MODIFIED.has(name.toLowerCase()))
}

/** An entity tag made of the bytes, for a response that has none. Weak: fields may differ for the same bytes. */
export function etagOf(body: Uint8Array): string {
  return `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
}

function weak(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
