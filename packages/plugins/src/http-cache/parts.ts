/** One part of a response that is kept as a whole (RFC 9110, section 14). */

import type { ReadyResponse } from './exchange.ts'
import { fieldValue } from './fields.ts'

/** Of one range: its first and last byte, either of which may be left out. */
export interface Range {
  readonly first: number | undefined
  readonly last: number | undefined
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i
const PARTIAL = 206
const NOT_SATISFIABLE = 416

/** Reads a field `Range` of one range; `undefined` for anything else, which the handler is asked for. */
export function readRange(field: string): Range | undefined {
  const match = ONE_RANGE.exec(field.trim())
  if (match === null) return undefined
  const [first, last] = [match[1], match[2]].map((text) => (text ? Number(text) : undefined))
  if (first === undefined && last === undefined) return undefined
  if (first !== undefined && last !== undefined && last < first) return undefined
  return { first, last }
}

/** Tells whether the client has the beginning of this very response, as it says (`If-Range`). */
export function isOfSame(ifRange: string | undefined, response: ReadyResponse): boolean {
  if (ifRange === undefined) return true
  const etag = fieldValue(response.fields, 'etag')
  if (ifRange.startsWith('"')) return ifRange === etag
  return ifRange === fieldValue(response.fields, 'last-modified')
}

export function partOf(response: ReadyResponse, { first, last }: Range): ReadyResponse {
  const size = response.body.length
  const from = first ?? Math.max(0, size - (last ?? 0))
  const to = first === undefined ? size - 1 : Math.min(last ?? size - 1, size - 1)
  if (from >= size || to < from) {
    const fields = response.fields.filter(([name]) => /^(?:cache-status|date)$/i.test(name))
    const all = [...fields, ['Content-Range', `bytes */${size}`] as const]
    return { status: NOT_SATISFIABLE, reason: undefined, fields: all, body: new Uint8Array(0) }
  }
  return {
    status: PARTIAL,
    reason: undefined,
    fields: [...response.fields, ['Content-Range', `bytes ${from}-${to}/${size}`]],
    body: response.body.subarray(from, to + 1),
  }
}
