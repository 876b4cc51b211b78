/**
 * The loads of this process that may still store their result.
 *
 * A lease that only this process knows: a change of a key in this process voids the loads of it that run here. Other processes'
 * loads cannot be reached this way.
 */
export class LoadsUnderWay {
  readonly #tokens = new Map<string, Set<number>>()

  begin(key: string, token: number): void {
    const tokens = this.#tokens.get(key) ?? new Set()
    this.#tokens.set(key, tokens)
    tokens.add(token)
  }

  /** Tells whether a load may still store its result. */
  has(key: string, token: number): boolean {
    return this.#tokens.get(key)?.has(token) ?? false
  }

  /** Ends one load; false when it was voided, or never began. */
  end(key: string, token: number): boolean {
    const tokens = this.#tokens.get(key)
    const wasThere = tokens?.delete(token) ?? false
    if (tokens?.size === 0) this.#tokens.delete(key)
    return wasThere
  }

  /** Voids all loads of these keys. */
  void(keys: readonly string[]): void {
    for (const key of keys) this.#tokens.delete(key)
  }
}
