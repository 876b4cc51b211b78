/** Lists over a cache manager's store: the latest items of something, each with an id. */

import { randomBytes } from 'node:crypto'
import type { CacheManager } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
} from '@larder/core/store'
import { nameText } from '../boards/common-options.ts'
import type { StructureKey } from './shared-map.ts'
import { assertList, StructureCalls } from './structure-calls.ts'
import { type ListOptions, resolveStructureOptions } from './structure-options.ts'

export interface PushOptions {
  /** What the item is called. Pushed again it is not there twice, and is the newest. @default one of its own */
  readonly id?: string | number | undefined
}

export interface ItemsOptions {
  /** From which end. @default 'newest' */
  readonly from?: 'newest' | 'oldest' | undefined
  /** How many are left out from there. 0 to 10 000. @default 0 */
  readonly skip?: number | undefined
  /** How many. 0 to 10 000. @default all */
  readonly take?: number | undefined
}

/** An item of a list. */
export interface Listed<Item> {
  readonly id: string
  readonly value: Item
}

const PUSH_NAMES = optionNames<PushOptions>({ id: true })
const ITEMS_NAMES = optionNames<ItemsOptions>({ from: true, skip: true, take: true })
const MOST_ITEMS = 10_000
const ID_BYTES = 12

/**
 * Creates lists that are kept in the store of a manager: the remote one, or without one in this process. There is one for each key. When a
 * list is full, the oldest item is dropped.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps structures; ClosedError
 * @example
 * const viewed = createList<Product>(caches, { name: 'viewed', ttl: '30d', most: 20 })
 * await viewed.push('user-7', product, { id: product.id })
 */
export function createList<Item = unknown>(
  caches: CacheManager,
  options: ListOptions,
): SharedList<Item> {
  const resolved = resolveStructureOptions('list', options)
  return new SharedList(new StructureCalls(caches, resolved, 'createList'))
}

export class SharedList<Item = unknown> {
  readonly #calls: StructureCalls

  /** Use `createList`. */
  constructor(calls: StructureCalls) {
    this.#calls = calls
  }

  /**
   * Puts an item at the newest end.
   *
   * @returns its id
   * @throws StructureUnavailableError: with an `id`, push it again; InvalidOptionError; ValueError for what would not come back unchanged
   */
  async push(key: StructureKey, item: Item, options: PushOptions = {}): Promise<string> {
    assertKnownOptions(options, PUSH_NAMES, 'list.push')
    const id = options.id === undefined ? newId() : nameText(options.id, 'list.push.id')
    const items = [{ name: id, value: item }]
    await this.#calls.put(nameText(key, 'list.push.key'), items, 'list.push.item')
    return id
  }

  /** Puts items at the newest end, at most 1 000, the last one as the newest, in one step. @returns their ids @throws as `push` */
  async pushMany(key: StructureKey, items: readonly Item[]): Promise<readonly string[]> {
    assertList(items, 'list.pushMany.items')
    const named = items.map((value) => ({ name: newId(), value }))
    await this.#calls.put(nameText(key, 'list.pushMany.key'), named, 'list.pushMany.items')
    return named.map(({ name }) => name)
  }

  /** Returns items, the newest first. Objects and arrays are frozen. @throws StructureUnavailableError; InvalidOptionError; so do all of these */
  async items(key: StructureKey, options: ItemsOptions = {}): Promise<readonly Listed<Item>[]> {
    assertKnownOptions(options, ITEMS_NAMES, 'list.items')
    const from = orDefault(options.from, 'newest')
    assertOneOf(from, ['newest', 'oldest'], 'list.items.from')
    const skip = orDefault(options.skip, 0)
    assertInteger(skip, 'list.items.skip', { min: 0, max: MOST_ITEMS })
    const take = orDefault(options.take, MOST_ITEMS)
    assertInteger(take, 'list.items.take', { min: 0, max: MOST_ITEMS })
    const at = nameText(key, 'list.items.key')
    const items = await this.#calls.range(at, { kind: 'range', from, skip, take })
    return items.map(([id, value]) => ({ id, value: value as Item }))
  }

  /** Removes an item. @returns whether it was there */
  async remove(key: StructureKey, id: string | number): Promise<boolean> {
    const names = [nameText(id, 'list.remove.id')]
    return (await this.#calls.remove(nameText(key, 'list.remove.key'), names, 'list.remove')) > 0
  }

  /** Returns how many items there are. */
  async count(key: StructureKey): Promise<number> {
    return this.#calls.count(nameText(key, 'list.count.key'))
  }

  /** Removes the whole list. @returns whether there was one */
  async clear(key: StructureKey): Promise<boolean> {
    return this.#calls.clear(nameText(key, 'list.clear.key'))
  }
}

function newId(): string {
  return randomBytes(ID_BYTES).toString('base64url')
}
