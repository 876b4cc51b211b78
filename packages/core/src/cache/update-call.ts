/** From what the user says of an update to the engine's terms. */

import type { Key } from '../keys/key-text.ts'
import { assertFunction } from '../options/assert-option.ts'
import type { CacheCalls } from './cache-calls.ts'
import { whileWanted } from './caller.ts'
import { resolveUpdateOptions, type UpdateOptions } from './update-options.ts'
import type { Update } from './update-path.ts'

interface AskedUpdate<Value> {
  readonly key: Key
  readonly change: (old: Value | undefined) => Promise<Value | undefined> | Value | undefined
  readonly options: UpdateOptions<Value>
}

/** @throws InvalidOptionError, KeyError, and what an update rejects with */
export async function updateOf<Value>(
  calls: CacheCalls,
  { key, change, options }: AskedUpdate<Value>,
): Promise<Value | undefined> {
  const where = `${calls.where}.update`
  assertFunction(change, `${where}.change`)
  const { entry, retries, signal } = resolveUpdateOptions(options, where)
  const call = calls.of(key, entry)
  const update: Update = { call, change: (old) => change(old as Value), retries, signal }
  const { updates } = calls.parts
  return whileWanted(signal, () => updates.update(update)) as Promise<Value | undefined>
}
