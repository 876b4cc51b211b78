/** The value of a stored entry for people who look at one: nothing is judged, kept or counted. */

import { decodeEntry } from '../entry/envelope.ts'
import { UndecodableEntry } from '../entry/undecodable-entry.ts'
import { IDENTIFYING_FLAGS, type ValuePipeline } from './value-pipeline.ts'

/**
 * Undoes the codec steps and decodes, as a read does; `fromPlain` is not applied. `key`: the full key.
 *
 * @throws what the codec or a step threw, or an Error for bytes that are not an entry
 */
export async function storedValue(
  values: ValuePipeline,
  key: string,
  bytes: Uint8Array,
): Promise<unknown> {
  const entry = decodeEntry(bytes)
  if (entry === undefined) throw new Error('Not an entry of a known format')
  const { payload, steps, flags, commit, birth, schema, tags } = entry
  const cache = key.slice(0, key.indexOf(':'))
  const identity = { cache, key, flags: flags & IDENTIFYING_FLAGS, commit, birth, schema, tags }
  try {
    const isPlain = values.isPlain(steps)
    return values.decode(isPlain ? payload : await values.open(payload, steps, identity), false)
  } catch (error) {
    throw error instanceof UndecodableEntry && error.cause !== undefined ? error.cause : error
  }
}
