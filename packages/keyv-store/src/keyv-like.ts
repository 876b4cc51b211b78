/** The part of a Keyv that is used: versions 4 to 6 fit, and anything else with these methods. */

export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown, ttlMs?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  /** Without it, keys are read one by one. */
  getMany?(keys: string[]): Promise<readonly unknown[]>
  /** Without it, keys are deleted one by one. */
  deleteMany?(keys: string[]): Promise<unknown>
  /** Without it, keys cannot be found by pattern. */
  iterator?: unknown
  /** Keyv reports failures of its backend here, and answers as if there had been none. */
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  readonly store?: unknown
}

type Iterate = () => AsyncIterable<readonly unknown[]>

/**
 * Returns the function that walks over all keys, or `undefined` when the backend has none.
 *
 * Keyv 6 has an iterator whatever the backend; over one that cannot iterate, it silently finds nothing.
 */
export function iterationOf(keyv: KeyvLike): Iterate | undefined {
  const { iterator } = keyv
  if (typeof iterator !== 'function' || !canIterate(keyv.store)) return undefined
  return () => (iterator as Iterate).call(keyv)
}

function canIterate(backend: unknown): boolean {
  if (typeof backend !== 'object' || backend === null || backend instanceof Map) return true
  const { iterator, capabilities, store } = backend as {
    readonly iterator?: unknown
    readonly capabilities?: {
      readonly store?: unknown
      readonly methods?: { readonly iterator?: { readonly exists?: boolean } }
    }
    readonly store?: { readonly entries?: unknown }
  }
  if (typeof iterator !== 'function') return false
  if (capabilities?.methods?.iterator?.exists !== false) return true
  // Keyv's adapter for maps iterates by `entries`, which its capabilities do not tell.
  return capabilities.store === 'mapLike' && typeof store?.entries === 'function'
}
