/**
 * The tag clock of a Keyv backend: read, changed, written back.
 *
 * Two processes that do this at the same moment overwrite each other, and one of the invalidations is lost. So every process
 * remembers what it invalidated itself, looks for it whenever the clock is read anyway, and invalidates again those that it does
 * not find. A lost invalidation is thus late, by one sync of the node that made it, as long as that node lives.
 *
 * Every version is minted above all that this process has seen or was told of, and not only above the document: entries may
 * have been born at those, and one that was born at or above an invalidation would outlive it. That matters when the document
 * was lost, went back, or could not be written for a while, and the clock is behind the numbers in use.
 */

import type { TagBump } from '@larder/core/store'
import {
  newTagDocument,
  parseTagDocument,
  TAG_CAP,
  type TagDocument,
  withBump,
} from './tag-document.ts'

/** How long a step may delay others, µs. */
const PATIENCE_US = 10_000_000

/** Reads and writes the document's text. */
export interface TagStorage {
  read(): Promise<unknown>
  write(text: string): Promise<void>
}

interface BumpRequest {
  readonly known: number
  readonly retentionMs: number
}

export class SharedTags {
  readonly #storage: TagStorage
  readonly #nowUs: () => number
  /** What this process invalidated, oldest first. */
  readonly #own = new Map<string, number>()
  /** The longest life of an entry this process has heard of. */
  #retentionMs = 0
  /** The highest number an entry may have been born at, as far as this process knows. */
  #highest = 0
  #lastStep: Promise<unknown> = Promise.resolve()
  /** When a step began or ended last, µs; and whether any has not ended. */
  #movedAtUs = 0
  #isBusy = false

  constructor(storage: TagStorage, nowUs: () => number) {
    this.#storage = storage
    this.#nowUs = nowUs
  }

  /** Reads the clock, creating it if it is absent, and invalidates again what another process overwrote. */
  read(): Promise<TagDocument> {
    return this.#step(async () => {
      const found = await this.#find()
      const document = found ?? this.#begin()
      const lost = this.#lostFrom(document)
      if (lost.length > 0) return this.#bumpAgain(document, lost)
      if (found === undefined) await this.#write(document)
      return document
    })
  }

  /** Invalidates tags. */
  bump(tags: readonly string[], request: BumpRequest): Promise<TagBump> {
    this.#note(request.known)
    return this.#step(async () => {
      const before = await this.#readOrBegin()
      const { version, floor } = await this.#bump(before, tags, request)
      return { previous: before.version, version, floor }
    })
  }

  /** Changes the clock. */
  change(change: (document: TagDocument) => TagDocument): Promise<void> {
    return this.#step(async () => this.#write(change(await this.#readOrBegin())))
  }

  /** Above the lost versions, too: nodes that have seen those would ignore the same number as old. */
  #bumpAgain(document: TagDocument, lost: readonly string[]): Promise<TagDocument> {
    return this.#bump(document, lost, { known: this.#highest, retentionMs: 0 })
  }

  async #bump(
    before: TagDocument,
    tags: readonly string[],
    request: BumpRequest,
  ): Promise<TagDocument> {
    this.#retentionMs = Math.max(this.#retentionMs, request.retentionMs)
    const { document, bump } = withBump(before, tags, {
      known: Math.max(request.known, this.#highest),
      retentionMs: this.#retentionMs,
      nowUs: this.#nowUs(),
    })
    // Before it is written: a write that is not answered may have been made.
    this.#note(bump.version)
    await this.#write(document)
    for (const tag of tags) {
      this.#own.delete(tag)
      this.#own.set(tag, bump.version)
    }
    const excess = [...this.#own.keys()].slice(0, Math.max(0, this.#own.size - TAG_CAP))
    for (const tag of excess) this.#own.delete(tag)
    return document
  }

  #lostFrom({ floor, tags }: TagDocument): readonly string[] {
    if (this.#own.size === 0) return []
    const versions = new Map(tags)
    const lost: string[] = []
    for (const [tag, version] of this.#own) {
      if (version <= floor) this.#own.delete(tag)
      else if ((versions.get(tag) ?? 0) < version) lost.push(tag)
    }
    return lost
  }

  async #readOrBegin(): Promise<TagDocument> {
    return (await this.#find()) ?? this.#begin()
  }

  async #find(): Promise<TagDocument | undefined> {
    const found = parseTagDocument(await this.#storage.read())
    if (found !== undefined) this.#note(found.version)
    return found
  }

  #begin(): TagDocument {
    const document = newTagDocument(Math.max(this.#nowUs(), this.#highest + 1))
    this.#note(document.version)
    return document
  }

  #note(version: number): void {
    this.#highest = Math.max(this.#highest, Math.floor(version))
  }

  #write(document: TagDocument): Promise<void> {
    return this.#storage.write(JSON.stringify(document))
  }

  /**
   * One at a time within this process; a step that failed does not stop the next. Nor does one that is never answered, for
   * longer than a while: what it may overwrite when it ends after all is found missing, and invalidated again.
   */
  #step<Result>(run: () => Promise<Result>): Promise<Result> {
    const isStuck = this.#isBusy && this.#nowUs() - this.#movedAtUs > PATIENCE_US
    if (isStuck || !this.#isBusy) this.#movedAtUs = this.#nowUs()
    const earlier = isStuck ? Promise.resolve() : this.#lastStep
    const result = earlier.then(() => {
      this.#movedAtUs = this.#nowUs()
      return run()
    })
    const step = result
      .catch(() => undefined)
      .then(() => {
        this.#movedAtUs = this.#nowUs()
        if (this.#lastStep === step) this.#isBusy = false
      })
    this.#lastStep = step
    this.#isBusy = true
    return result
  }
}
