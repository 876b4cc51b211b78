/** The tag clock with the tags invalidated lately. */

import type { TagBump, TagChanges, TagHead } from '../../contracts/remote-store.ts'
import { mint } from './mint.ts'
import { byBytes } from './partition-log.ts'

/** How many tags are remembered. */
export const TAG_CAP = 100_000

const US_PER_MS = 1_000

export class TagTable {
  #version: number
  #floor: number
  #retentionMs = 0
  #versions = new Map<string, number>()
  readonly #cap: number

  /** A clock that begins anew invalidates what was born before: it is unknown what was invalidated until now. */
  constructor(nowUs: number, cap = TAG_CAP) {
    this.#version = nowUs
    this.#floor = nowUs
    this.#cap = cap
  }

  get head(): TagHead {
    return { version: this.#version, floor: this.#floor }
  }

  get size(): number {
    return this.#versions.size
  }

  /** Mints one version for all the tags and prunes what no entry can be older than. */
  bump(
    tags: readonly string[],
    request: { known: number; retentionMs: number; nowUs: number },
  ): TagBump {
    const { known, retentionMs, nowUs } = request
    const previous = this.#version
    this.#version = mint(Math.max(previous, Math.floor(known)), nowUs)
    this.#retentionMs = Math.max(this.#retentionMs, retentionMs)
    for (const tag of tags) this.#versions.set(tag, this.#version)
    this.#prune()
    return { previous, version: this.#version, floor: this.#floor }
  }

  since(version: number): TagChanges {
    const tags = [...this.#versions].filter(([, at]) => at > version)
    return { ...this.head, tags: tags.sort(byVersion) }
  }

  copy(): TagTable {
    const copy = new TagTable(this.#version, this.#cap)
    copy.#floor = this.#floor
    copy.#retentionMs = this.#retentionMs
    copy.#versions = new Map(this.#versions)
    return copy
  }

  #prune(): void {
    const oldest = this.#version - this.#retentionMs * US_PER_MS
    let last = 0
    for (const version of this.#versions.values()) {
      if (version <= oldest && version > last) last = version
    }
    if (last > 0) this.#drop(last)
    const excess = this.#versions.size - this.#cap
    if (excess > 0) this.#drop([...this.#versions].sort(byVersion)[excess - 1]?.[1] ?? 0)
  }

  /** Raising the floor over what is dropped costs nothing when no entry lives that long, and is safe when one does. */
  #drop(last: number): void {
    for (const [tag, version] of this.#versions) {
      if (version <= last) this.#versions.delete(tag)
    }
    this.#floor = Math.max(this.#floor, last)
  }
}

function byVersion(a: readonly [string, number], b: readonly [string, number]): number {
  return a[1] - b[1] || byBytes(a[0], b[0])
}
