/**
 * What comes from the store was written by somebody who can write there. A response is looked at once before it is sent: a field with a
 * line break would be an error in the middle of an answer, or end its head.
 */

import { areSound, storable } from './fields.ts'
import type { StoredResponse } from './stored-response.ts'

export class SoundResponses {
  readonly #known = new WeakSet<object>()

  has(loaded: unknown): loaded is StoredResponse {
    if (typeof loaded !== 'object' || loaded === null) return false
    if (this.#known.has(loaded)) return true
    if (!isResponse(loaded)) return false
    this.#known.add(loaded)
    return true
  }
}

const MOST_STATUS = 599

function isResponse(loaded: Partial<StoredResponse>): boolean {
  const { kind, status, fields, body, vary, reason, tags, validators } = loaded
  if (kind !== 'response' || !(body instanceof Uint8Array)) return false
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > MOST_STATUS)
    return false
  if (reason !== undefined && (typeof reason !== 'string' || !areSound([['reason', reason]])))
    return false
  const times = [loaded.at, loaded.freshMs, loaded.initialAgeMs, loaded.staleWhileRevalidateMs]
  const areTimes = [...times, loaded.staleIfErrorMs].every(
    (each) => Number.isFinite(each) && Number(each) >= 0,
  )
  const areTags = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
  if (!areTimes || !areTags || !arePairs(vary) || !arePairs(fields)) return false
  if (!arePairs(Object.entries(validators ?? {}))) return false
  // Nothing of the connection, and no length: with these, one response could become two.
  return areSound(fields) && storable(fields, new Set(['set-cookie'])).length === fields.length
}

function arePairs(lines: unknown): lines is readonly (readonly [string, string])[] {
  return (
    Array.isArray(lines) &&
    lines.every(
      (line) => Array.isArray(line) && typeof line[0] === 'string' && typeof line[1] === 'string',
    )
  )
}
