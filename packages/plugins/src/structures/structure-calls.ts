/** The calls about the structures of one name: with their items sealed and opened, and with the copy in this process, where there is one. */

import {
  type CacheManager,
  InvalidOptionError,
  StructureFullError,
  StructureUnavailableError,
} from '@larder/core'
import {
  assertInteger,
  freezeDecoded,
  INTERNALS,
  type StoredItem,
  type StructurePart,
  type StructureParts,
  type StructureProvider,
  type StructurePutReply,
  type StructureReply,
} from '@larder/core/store'
import { type Copy, LocalCopies } from './local-copies.ts'
import type { ResolvedStructureOptions } from './structure-options.ts'

/** An item to be put. */
export interface NewItem {
  readonly name: string
  readonly value: unknown
  /** Only over this version; 0: only where there is none. */
  readonly expected?: number
}

/** An item as it was read. */
export interface FoundItem {
  readonly name: string
  readonly value: unknown
  readonly version: number
}

/** What a change did. */
export interface Changed {
  /** How many items were not there before. */
  readonly added: number
  /** How many of the oldest went for room. */
  readonly dropped: number
}

/** How many items one call may be about. */
const MOST_AT_ONCE = 1_000
const EVERYTHING = { kind: 'range', from: 'oldest', skip: 0, take: 10_000 } as const

export class StructureCalls {
  readonly #parts: StructureParts
  readonly #options: ResolvedStructureOptions
  readonly #copies: LocalCopies | undefined

  /** @throws InvalidOptionError where the manager keeps no structures, or no copies of them; ClosedError */
  constructor(caches: CacheManager, options: ResolvedStructureOptions, where: string) {
    if (typeof caches?.[INTERNALS]?.structures !== 'function') {
      const expected = 'a manager of createCacheManager'
      throw new InvalidOptionError({ option: `${where}.caches`, expected, received: caches })
    }
    this.#parts = caches[INTERNALS].structures()
    this.#options = options
    const { copyMs, rule } = options
    if (copyMs === undefined) return
    const { copiesNeed } = this.#parts
    if (copiesNeed !== undefined) {
      const option = `${where}.localCopy`
      throw new InvalidOptionError({ option, expected: copiesNeed, received: `${copyMs}ms` })
    }
    this.#copies = new LocalCopies(caches, this.#parts, { structure: rule.structure, copyMs })
  }

  /** `option`: what the items were given as. @throws StructureFullError; so do all of these: StructureUnavailableError, InvalidOptionError */
  async put(key: string, items: readonly NewItem[], option: string): Promise<Changed> {
    const reply = await this.#put(key, items, option)
    // Nothing was expected.
    if (reply.outcome !== 'put') throw new StructureUnavailableError(new Error('No such answer'))
    return { added: reply.added, dropped: reply.dropped }
  }

  /** Puts an item over the version that it was read with. @returns false when it has another one by now @throws as `put` */
  async replace(key: string, item: Required<NewItem>, option: string): Promise<boolean> {
    return (await this.#put(key, [item], option)).outcome === 'put'
  }

  async remove(key: string, names: readonly string[], option: string): Promise<number> {
    if (names.length === 0) return 0
    assertInteger(names.length, `${option}.length`, { min: 1, max: MOST_AT_ONCE })
    const { rule } = this.#options
    return this.#change(key, 'remove', (provider) => provider.remove(rule, key, names))
  }

  clear(key: string): Promise<boolean> {
    const { rule } = this.#options
    return this.#change(key, 'clear', (provider) => provider.clear(rule, key))
  }

  /** Reads items with their versions, always from the store. */
  async read(key: string, part: StructurePart): Promise<readonly FoundItem[]> {
    return this.#open(key, (await this.#read(key, part)).items)
  }

  /** The values of names, from the copy where there is one; those that are there. */
  async values(
    key: string,
    names: readonly string[],
    option: string,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (names.length === 0) return new Map()
    assertInteger(names.length, `${option}.length`, { min: 1, max: MOST_AT_ONCE })
    if (this.#copies !== undefined) return this.#copies.indexOf(await this.#whole(key))
    const found = await this.read(key, { kind: 'names', names })
    return new Map(found.map(({ name, value }) => [name, value]))
  }

  /** Everything, or a part of it, from the copy where there is one. */
  async range(
    key: string,
    part: Extract<StructurePart, { kind: 'range' }> = EVERYTHING,
  ): Promise<Copy['items']> {
    if (this.#copies === undefined)
      return (await this.read(key, part)).map(({ name, value }) => [name, value])
    const { items } = await this.#whole(key)
    const ordered = part.from === 'newest' ? items.toReversed() : items
    return ordered.slice(part.skip, part.skip + part.take)
  }

  async count(key: string): Promise<number> {
    if (this.#copies !== undefined) return (await this.#whole(key)).items.length
    return (await this.#read(key, { ...EVERYTHING, take: 0 })).count
  }

  async #put(key: string, items: readonly NewItem[], option: string): Promise<StructurePutReply> {
    if (items.length === 0) return { outcome: 'put', added: 0, dropped: 0 }
    assertInteger(items.length, `${option}.length`, { min: 1, max: MOST_AT_ONCE })
    // Of two with one name the last one counts.
    const byName = new Map(items.map((item) => [item.name, item]))
    const sealed = await Promise.all(
      Array.from(byName.values(), async (item) => ({
        name: item.name,
        ...(item.expected === undefined ? {} : { expected: item.expected }),
        bytes: await this.#seal(key, item, option),
      })),
    )
    const { rule, kind, name } = this.#options
    const reply = await this.#change(key, 'put', (provider) => provider.put(rule, key, sealed))
    if (reply.outcome === 'full') throw new StructureFullError(`The ${kind} ${name}`, rule.most)
    return reply
  }

  async #whole(key: string): Promise<Copy> {
    const load = async (): Promise<Copy> => {
      const { items, leftMs } = await this.#read(key, EVERYTHING)
      const opened = await this.#open(key, items)
      return { leftMs, items: opened.map(({ name, value }) => [name, value]) }
    }
    return this.#copies === undefined ? load() : this.#copies.read(key, load)
  }

  #read(key: string, part: StructurePart): Promise<StructureReply> {
    const { rule, timeoutMs } = this.#options
    return this.#parts.store.ask('read', timeoutMs, (provider) => provider.read(rule, key, part))
  }

  /** Copies are dropped after the change, and again where its reply comes late: it may have been made only then. */
  async #change<Reply>(
    key: string,
    operation: string,
    call: (provider: StructureProvider) => Promise<Reply>,
  ): Promise<Reply> {
    const { store, work } = this.#parts
    let reply: Promise<unknown> | undefined
    try {
      return await store.ask(operation, this.#options.timeoutMs, (provider) => {
        const asked = call(provider)
        reply = asked
        return asked
      })
    } catch (error) {
      const dropAgain = (): void => {
        if (this.#copies === undefined || store.isClosed) return
        work.run('copies of structures', this.#copies.drop(key))
      }
      void reply?.then(dropAgain, dropAgain)
      throw error
    } finally {
      await this.#copies?.drop(key)
    }
  }

  async #seal(key: string, { name, value }: NewItem, option: string): Promise<Uint8Array> {
    const bytes = await this.#parts.values.seal(value, this.#whose(key, name))
    const { maxItemBytes } = this.#options
    if (bytes.length <= maxItemBytes) return bytes
    throw new InvalidOptionError({
      option,
      expected: `items of at most ${maxItemBytes} bytes when they are encoded`,
      received: undefined,
      described: `one of ${bytes.length} bytes`,
    })
  }

  #open(key: string, items: readonly StoredItem[]): Promise<readonly FoundItem[]> {
    return Promise.all(
      items.map(async ({ name, bytes, version }) => {
        try {
          const value = await this.#parts.values.open(bytes, this.#whose(key, name))
          return { name, version, value: freezeDecoded(value) }
        } catch (cause) {
          const { kind, name: structure } = this.#options
          throw new StructureUnavailableError(
            cause,
            `An item of the ${kind} ${structure} cannot be read`,
          )
        }
      }),
    )
  }

  /** So that steps that authenticate find out when bytes were moved to another item. */
  #whose(key: string, name: string): { readonly of: string; readonly id: string } {
    return { of: `structure:${this.#options.rule.structure}`, id: JSON.stringify([key, name]) }
  }
}

/** @throws InvalidOptionError unless it is an array without holes: of a text, its letters would be taken; a hole is no item, and has no name */
export function assertList(value: unknown, option: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError({ option, expected: 'an array', received: value })
  }
  // Before anything is made of each: there may be very many.
  assertInteger(value.length, `${option}.length`, { min: 0, max: MOST_AT_ONCE })
  for (let i = 0; i < value.length; i++) {
    if (i in value) continue
    const expected = 'an array without holes'
    throw new InvalidOptionError({ option, expected, received: value, described: `a hole at ${i}` })
  }
}
