/**
 * What comes from the store was written by somebody who can write there. A response is looked at once before it is sent: a field with a
 * line break would be an error in the middle of an answer, or end its head.
 */

import { areSound } from './fields.ts'
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

function isResponse(loaded: Partial<StoredResponse>): boolean {
  const { kind, status, fields, body, vary, reason } = loaded
  if (kind !== 'response' || !(body instanceof Uint8Array) || !Array.isArray(vary)) return false
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) return false
  if (!Array.isArray(fields) || (reason !== undefined && !areSound([['reason', reason]])))
    return false
  const arePairs = fields.every(
    (line) => Array.isArray(line) && typeof line[0] === 'string' && typeof line[1] === 'string',
  )
  const areTimes = [loaded.at, loaded.freshMs, loaded.initialAgeMs].every(Number.isFinite)
  return arePairs && areTimes && areSound(fields)
}
