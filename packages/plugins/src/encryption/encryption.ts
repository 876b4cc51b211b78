/** Encrypts what goes into the shared tier, and refuses to read what was changed, moved or not encrypted. */

import { type Duration, InvalidOptionError } from '@larder/core'
import {
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
  type Plugin,
  type PluginHost,
  parseDuration,
} from '@larder/core/store'
import { encryptionStep } from './encryption-step.ts'
import type { EncryptionKey } from './key-ring.ts'
import { type KeyNews, KeySource, type LoadKeys } from './key-source.ts'

export { ENCRYPTION_STEP_ID, OVERHEAD_BYTES } from './encryption-step.ts'
export type { EncryptionKey } from './key-ring.ts'
export type { LoadKeys } from './key-source.ts'
export { keyFromPassphrase } from './passphrase.ts'

declare module '@larder/core' {
  interface PluginEvents {
    /** A key source returned its first keys, or other keys than before (`loaded`), or failed; of failures in a row only the first. */
    'encryption:keys': {
      readonly state: 'loaded' | 'failed'
      /** Id of the key that writes; `undefined` while there is none. */
      readonly writing: string | undefined
      /** Ids of the keys that read. */
      readonly reading: readonly string[]
      /** The error of the key source. */
      readonly error: unknown
    }
  }
}

export interface EncryptionOptions {
  /** The first writes, all read. A function asks for them, such as from a key service, when the manager is made. */
  readonly keys: readonly EncryptionKey[] | LoadKeys
  /** How often the function is asked again. 1 s to 7 days. @default never */
  readonly refreshEvery?: Duration | undefined
  /** `both`: entries that are not encrypted are read as well, and counted; for a roll-out. @default 'encrypted' */
  readonly accept?: 'encrypted' | 'both' | undefined
}

/** What the keys of this process have been used for. */
export interface EncryptionUsage {
  /** Id of the key that writes; `undefined` while there is none. */
  readonly writing: string | undefined
  /** For each present key, by id: entries written and read with it since it came. A key that reads nothing any more may be removed. */
  readonly keys: readonly { readonly id: string; readonly written: number; readonly read: number }[]
  /** Entries read that were not encrypted. */
  readonly plainRead: number
}

export interface EncryptionPlugin extends Plugin {
  /** Tells which keys are in use in this process. */
  usage(): EncryptionUsage
}

const WHERE = 'encryption'
/** The defaults. */
export const ENCRYPTION_DEFAULTS = {
  accept: 'encrypted',
} as const satisfies Partial<EncryptionOptions>
const NAMES = optionNames<EncryptionOptions>({ keys: true, refreshEvery: true, accept: true })
const REFRESH_BOUNDS = { min: 1_000, max: 7 * 24 * 3_600_000 }
const KEYS_EVENT = `${WHERE}:keys`

/**
 * Creates the plugin. It has to come last in `plugins`: what is encrypted does not compress.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote, plugins: [encryption({ keys: [{ key: process.env.CACHE_KEY }] })] })
 */
export function encryption(options: EncryptionOptions): EncryptionPlugin {
  assertKnownOptions(options, NAMES, WHERE)
  const accept = orDefault(options.accept, ENCRYPTION_DEFAULTS.accept)
  assertOneOf(accept, ['encrypted', 'both'], `${WHERE}.accept`)
  const hosts = new Set<PluginHost>()
  const usage = new UsageCounts()
  const refreshMs = refreshOf(options)
  const told = (news: KeyNews): void => {
    for (const host of hosts) host.emit(KEYS_EVENT, keysEvent(news, source))
  }
  const source = new KeySource(options.keys, { option: `${WHERE}.keys`, refreshMs }, told)
  return {
    name: WHERE,
    events: [KEYS_EVENT],
    codecSteps: [encryptionStep({ source, acceptsPlain: accept === 'both', reports: usage })],
    usage: () => usage.of(source),
    start(host) {
      // One plugin may serve several managers, and asks for its keys once.
      if (hosts.size === 0) source.start(host.clock)
      hosts.add(host)
    },
    stop() {
      for (const host of hosts) if (host.manager.isClosed) hosts.delete(host)
      if (hosts.size === 0) source.stop()
    },
  }
}

function refreshOf({ keys, refreshEvery }: EncryptionOptions): number | undefined {
  if (refreshEvery === undefined) return undefined
  const option = `${WHERE}.refreshEvery`
  if (typeof keys !== 'function') {
    const expected = 'to be left out when keys are a list, because a list is not asked again'
    throw new InvalidOptionError({ option, expected, received: refreshEvery })
  }
  return parseDuration(refreshEvery, option, REFRESH_BOUNDS)
}

function keysEvent(news: KeyNews, { known }: KeySource) {
  return {
    state: news.state,
    writing: known?.writing.id,
    reading: known?.ids ?? [],
    error: news.state === 'failed' ? news.error : undefined,
  }
}

/** Counts per key id; the counts of removed keys are dropped. */
class UsageCounts {
  readonly #byKey = new Map<string, { written: number; read: number }>()
  #plainRead = 0

  wrote(keyId: string): void {
    this.#of(keyId).written += 1
  }

  read(keyId: string): void {
    this.#of(keyId).read += 1
  }

  readPlain(): void {
    this.#plainRead += 1
  }

  of({ known }: KeySource): EncryptionUsage {
    const ids = known?.ids ?? []
    for (const id of this.#byKey.keys()) if (!ids.includes(id)) this.#byKey.delete(id)
    return {
      writing: known?.writing.id,
      keys: ids.map((id) => ({ id, ...this.#of(id) })),
      plainRead: this.#plainRead,
    }
  }

  #of(keyId: string): { written: number; read: number } {
    const known = this.#byKey.get(keyId)
    if (known !== undefined) return known
    const counts = { written: 0, read: 0 }
    this.#byKey.set(keyId, counts)
    return counts
  }
}
