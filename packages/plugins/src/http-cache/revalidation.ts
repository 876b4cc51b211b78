/** Asking the handler whether a response that may not be served any more still holds (RFC 9111, 4.3). */

import type { ResponseHead, WholeResponse } from './exchange.ts'
import { type FieldLines, fieldValue } from './fields.ts'

export const NOT_MODIFIED = 304

/** What a handler said of its response by itself, by the names of the fields in which it is asked again. */
export type Validators = Readonly<Record<string, string>>

/** RFC 9111, 3.2: they describe the bytes that were stored, and an answer without bytes cannot change them. */
const OF_BYTES = new Set(['content-encoding', 'content-length', 'content-range'])

export function validatorsOf(fields: FieldLines): Validators {
  const etag = fieldValue(fields, 'etag')
  const changed = fieldValue(fields, 'last-modified')
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(changed === undefined ? {} : { 'if-modified-since': changed }),
  }
}

/** The stored response with what a 304 says of it. */
export function freshened(stored: Omit<WholeResponse, 'outer'>, head: ResponseHead): WholeResponse {
  const news = head.fields.filter(([name]) => !OF_BYTES.has(name.toLowerCase()))
  const replaced = new Set(news.map(([name]) => name.toLowerCase()))
  // What says when it was made is said anew.
  const kept = stored.fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !replaced.has(lower) && lower !== 'date'
  })
  return {
    status: stored.status,
    reason: stored.reason,
    fields: [...kept, ...news],
    outer: head.outer,
    body: stored.body,
  }
}
