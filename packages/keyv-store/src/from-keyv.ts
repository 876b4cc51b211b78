/** The store's front: what it is given, checked once. */

import { InvalidOptionError } from '@larder/core'
import {
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
  type RemoteStore,
} from '@larder/core/store'
import type { KeyvLike } from './keyv-like.ts'
import { KeyvStore } from './keyv-store.ts'

export interface FromKeyvOptions {
  /**
   * The form in which entries are passed to Keyv. `'base64'`: texts, which every backend and serializer keeps as they are; a third
   * larger. `'binary'`: Buffers, for those that do so with them. Both are read whatever is set here. @default 'base64'
   */
  readonly values?: 'base64' | 'binary' | undefined
}

/** The defaults. */
export const FROM_KEYV_DEFAULTS = { values: 'base64' } as const satisfies FromKeyvOptions
const NAMES = optionNames<FromKeyvOptions>({ values: true })

/**
 * Makes a shared tier of a Keyv. See the guide for what it cannot promise.
 *
 * The owner keeps the Keyv: it is not closed here, and its namespace, serializer and compression are used as they are. Its
 * `error` events count as failures of the calls under way.
 *
 * @throws InvalidOptionError when it is no Keyv, or an option is wrong.
 * @example createCacheManager({ namespace: 'shop', remote: fromKeyv(new Keyv(new KeyvPostgres(uri))), codec: msgpackCodec })
 */
export function fromKeyv(keyv: KeyvLike, options: FromKeyvOptions = {}): RemoteStore {
  assertKeyv(keyv)
  assertKnownOptions(options, NAMES, 'fromKeyv')
  const values = orDefault(options.values, FROM_KEYV_DEFAULTS.values)
  assertOneOf(values, ['base64', 'binary'], 'fromKeyv.values')
  return new KeyvStore(keyv, values)
}

function assertKeyv(keyv: unknown): void {
  const { get, set, delete: remove } = (keyv ?? {}) as Record<string, unknown>
  if ([get, set, remove].every((method) => typeof method === 'function')) return
  throw new InvalidOptionError({
    option: 'fromKeyv.keyv',
    expected: 'a Keyv',
    received: keyv,
  })
}
