/** Records of a partition's log: `number:key`, as `record` of `lua/includes/log.lua` writes them. */

import { numberOf, textOf } from '../commands/replies.ts'

/** The keys that were changed, and the number of each change, side by side. */
export interface RecordedChanges {
  readonly keys: readonly string[]
  readonly numbers: readonly number[]
}

export function changesIn(records: readonly unknown[]): RecordedChanges {
  const keys: string[] = []
  const numbers: number[] = []
  for (const record of records) {
    const text = textOf(record)
    const colon = text.indexOf(':')
    numbers.push(numberOf(text.slice(0, colon)))
    keys.push(text.slice(colon + 1))
  }
  return { keys, numbers }
}
