/** Makes the queues of a manager: one for each name. */

import { type CacheManager, InvalidOptionError } from '@larder/core'
import { INTERNALS, type WriteParts } from '@larder/core/store'
import { resolveQueue, type WriteBehindOptions } from './queue-options.ts'
import { WriteQueue } from './write-queue.ts'

/** By manager, the names that are taken: two writers of one queue in a process would be a mistake. */
const made = new WeakMap<CacheManager, Map<string, WriteQueue<never>>>()

/**
 * Creates a write-behind queue in the store of a manager: the remote one, or without one in this process.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, when the name is in use, or when no store of the manager has queues; ClosedError
 * @example
 * const progress = createWriteBehind<Reading>(caches, { name: 'progress', write: (writes) => db.upsert(writes) })
 * await progress.put('ada', { page: 12 })
 */
export function createWriteBehind<Value>(
  caches: CacheManager,
  options: WriteBehindOptions<Value>,
): WriteQueue<Value> {
  return openQueue(caches, options, 'createWriteBehind')
}

/** The same, with `where` for messages. */
export function openQueue<Value>(
  caches: CacheManager,
  options: WriteBehindOptions<Value>,
  where: string,
): WriteQueue<Value> {
  const parts = writePartsOf(caches, where)
  const resolved = resolveQueue(options, { where, storeTimeoutMs: parts.timeoutMs })
  const names = made.get(caches) ?? new Map<string, WriteQueue<never>>()
  made.set(caches, names)
  if (names.has(resolved.name)) {
    const expected = 'a name that no other queue of this manager has'
    throw new InvalidOptionError({
      option: `${where}.name`,
      expected,
      received: resolved.name,
    })
  }
  const queue = new WriteQueue<Value>({ caches, parts, options: resolved, where })
  names.set(resolved.name, queue as WriteQueue<never>)
  return queue
}

/** The queue of a name, where it was made. */
export function queueNamed(caches: CacheManager, name: string): WriteQueue | undefined {
  return made.get(caches)?.get(name) as WriteQueue | undefined
}

/** What queues of a manager are made of. @throws InvalidOptionError for what is no manager */
export function writePartsOf(caches: CacheManager, where: string): WriteParts {
  if (typeof caches?.[INTERNALS]?.writes === 'function') return caches[INTERNALS].writes()
  const expected = 'a manager of createCacheManager'
  throw new InvalidOptionError({ option: `${where}.caches`, expected, received: caches })
}
