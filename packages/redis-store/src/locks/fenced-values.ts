/** Values in Redis that refuse writers with an old fence: what makes a lock safe against a holder that slept. */

import type { Duration } from '@larder/core'
import { assertInteger, assertText, parseDuration } from '@larder/core/store'
import { Backend } from '../backend.ts'
import { fencedKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'

/** How long the fence of a value that expired is remembered, ms. */
const FENCE_LIFE_MS = 7 * 24 * 3_600_000

export interface FencedValues extends AsyncDisposable {
  /**
   * Writes a value unless a writer with a newer fence has written before.
   *
   * @returns false when refused: the lock was lost, and another holder has written since.
   * @throws InvalidOptionError for an invalid fence; otherwise what Redis answers
   */
  set(
    key: string,
    value: string | Buffer,
    options: { readonly fence: number; readonly ttl?: Duration },
  ): Promise<boolean>
  get(key: string): Promise<string | undefined>
  close(): Promise<void>
}

/**
 * Opens fenced values in a namespace.
 *
 * @throws InvalidOptionError
 * @example
 * const registers = fencedValues('shop', { url })
 * await caches.locks.run('report', {}, ({ fence }) => registers.set('report', body, { fence }))
 */
export function fencedValues(namespace: string, options: RedisStoreOptions): FencedValues {
  assertText(namespace, 'fencedValues.namespace', 64)
  const backend = new Backend(resolveRedisStoreOptions(options))
  backend.open(namespace, 'values')
  const close = (): Promise<void> => backend.close()
  return {
    async set(key, value, { fence, ttl }) {
      assertText(key, 'fencedValues.set.key', 1_000)
      assertInteger(fence, 'fencedValues.set.fence', { min: 1, max: Number.MAX_SAFE_INTEGER })
      const lifeMs = ttl === undefined ? 0 : parseDuration(ttl, 'fencedValues.set.ttl', { min: 1 })
      const [isWritten] = await backend.run({
        script: 'fencedSet',
        keys: fencedKeys(namespace, key),
        args: [value, fence, Math.ceil(lifeMs), FENCE_LIFE_MS],
      })
      return isWritten === 1
    },
    async get(key) {
      assertText(key, 'fencedValues.get.key', 1_000)
      const [at] = fencedKeys(namespace, key)
      const [found] = await (await backend.connected('get')).mgetBuffer([at])
      return found?.toString('utf8')
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
