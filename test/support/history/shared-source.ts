/**
 * A source of truth that processes share and that none of them can break by dying.
 *
 * A key is a file, and its version is the length of the file: appending a byte is one step for all processes, and so is
 * asking for the length. No process keeps another waiting, as one that is stopped in a transaction would.
 */

import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export class SharedSource {
  readonly #dir: string

  /** `dir` is a folder of the source's own. */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** 0 before the first write. */
  versionOf(key: string): number {
    return statSync(this.#fileOf(key), { throwIfNoEntry: false })?.size ?? 0
  }

  /** Writes, and returns a version that includes this write (and maybe one that came right after it). */
  write(key: string): number {
    appendFileSync(this.#fileOf(key), '.')
    return this.versionOf(key)
  }

  #fileOf(key: string): string {
    return join(this.#dir, `${key}.version`)
  }
}
