/**
 * What happened, and what of it was wrong.
 *
 * The source holds a version a key. A write raises it and then evicts the key; once the eviction is acknowledged, a read
 * that begins later must not return an older version. Reads that began before are free to.
 */

export interface EvictionVerdict {
  readonly reads: number
  /** On the node that had evicted. */
  readonly staleOwn: number
  /** On the other node. */
  readonly staleOther: number
  /** The longest time between an acknowledged eviction and a read of what was before it, ms. */
  readonly oldestMs: number
  /** Keys that a node still had an old version of after everything had healed. */
  readonly staleAtRest: number
  readonly loadsPerKey: number
  readonly errors: number
  /** Calls that had not ended after ten seconds. */
  readonly hung: number
  readonly slowestMs: number
}

interface Eviction {
  readonly version: number
  readonly node: number
  readonly at: number
}

export class EvictionHistory {
  readonly #versions = new Map<string, number>()
  readonly #evictions = new Map<string, Eviction[]>()
  #reads = 0
  #stale = [0, 0]
  #oldestMs = 0
  #loads = 0
  #errors = 0
  #hung = 0
  #slowestMs = 0
  #staleAtRest = 0

  versionOf(key: string): number {
    return this.#versions.get(key) ?? 1
  }

  load(key: string): number {
    this.#loads += 1
    return this.versionOf(key)
  }

  write(key: string): number {
    const version = this.versionOf(key) + 1
    this.#versions.set(key, version)
    return version
  }

  /** An eviction that followed the write of `version` was acknowledged. */
  evicted(key: string, version: number, node: number): void {
    const evictions = this.#evictions.get(key) ?? []
    this.#evictions.set(key, evictions)
    evictions.push({ version, node, at: performance.now() })
  }

  /** A read that began at `startedAt` returned `version`. */
  read(key: string, version: number, node: number, startedAt: number): void {
    this.#reads += 1
    this.took(startedAt)
    const newer = this.#evictions
      .get(key)
      ?.filter((eviction) => eviction.version > version && eviction.at < startedAt)
    const [first] = newer ?? []
    if (newer === undefined || first === undefined) return
    const kind = newer.some((eviction) => eviction.node === node) ? 0 : 1
    this.#stale[kind] = (this.#stale[kind] ?? 0) + 1
    this.#oldestMs = Math.max(this.#oldestMs, startedAt - first.at)
  }

  readAtRest(key: string, version: number): void {
    if (version < this.versionOf(key)) this.#staleAtRest += 1
  }

  failed(startedAt: number): void {
    this.#errors += 1
    this.took(startedAt)
  }

  /** Something failed outside of any call. */
  stray(): void {
    this.#errors += 1
  }

  hung(startedAt: number): void {
    this.#hung += 1
    this.took(startedAt)
  }

  took(startedAt: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt)
  }

  verdict(keys: number): EvictionVerdict {
    return {
      reads: this.#reads,
      staleOwn: this.#stale[0] ?? 0,
      staleOther: this.#stale[1] ?? 0,
      oldestMs: this.#oldestMs,
      staleAtRest: this.#staleAtRest,
      loadsPerKey: this.#loads / keys,
      errors: this.#errors,
      hung: this.#hung,
      slowestMs: this.#slowestMs,
    }
  }
}
