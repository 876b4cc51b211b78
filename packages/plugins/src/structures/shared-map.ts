/** Maps over a cache manager's store: named fields, each with a value of its own. What Redis calls a hash. */

import { type CacheManager, InvalidOptionError, UpdateConflictError } from '@larder/core'
import { assertFunction } from '@larder/core/store'
import { nameText } from '../boards/common-options.ts'
import { assertList, type Changed, StructureCalls } from './structure-calls.ts'
import { resolveStructureOptions, type StructureOptions } from './structure-options.ts'

/** Which of the structures of a name: a text, or a number, which is the same as its digits. */
export type StructureKey = string | number

type FieldOf<Fields> = keyof Fields & string

const MOST_TRIES = 20

/**
 * Creates maps that are kept in the store of a manager: the remote one, or without one in this process. There is one for each key.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps structures; ClosedError
 * @example
 * const carts = createMap<Record<string, Line>>(caches, { name: 'carts', ttl: '7d', most: 100 })
 * await carts.set('user-7', { 'sku-1': { quantity: 2 } })
 */
export function createMap<Fields extends object = Record<string, unknown>>(
  caches: CacheManager,
  options: StructureOptions,
): SharedMap<Fields> {
  const resolved = resolveStructureOptions('map', options)
  return new SharedMap(new StructureCalls(caches, resolved, 'createMap'))
}

/** Values that are read are frozen: change one by `set` or `update`. */
export class SharedMap<Fields extends object = Record<string, unknown>> {
  readonly #calls: StructureCalls

  /** Use `createMap`. */
  constructor(calls: StructureCalls) {
    this.#calls = calls
  }

  /**
   * Returns the value of a field; `undefined` where there is none.
   *
   * @throws StructureUnavailableError; InvalidOptionError; so do all of these
   */
  async get<Field extends FieldOf<Fields>>(
    key: StructureKey,
    field: Field,
  ): Promise<Fields[Field] | undefined> {
    const name = nameText(field, 'map.get.field')
    const found = await this.#calls.values(nameText(key, 'map.get.key'), [name], 'map.get')
    return found.get(name) as Fields[Field] | undefined
  }

  /** Returns the values of several fields, of at most 1 000: those that are there. */
  async getMany<Field extends FieldOf<Fields>>(
    key: StructureKey,
    fields: readonly Field[],
  ): Promise<Partial<Pick<Fields, Field>>> {
    const names = namesIn(fields, 'map.getMany.fields')
    const at = nameText(key, 'map.getMany.key')
    const found = await this.#calls.values(at, names, 'map.getMany.fields')
    const pairs = names.filter((name) => found.has(name)).map((name) => [name, found.get(name)])
    return Object.fromEntries(pairs) as Partial<Pick<Fields, Field>>
  }

  /** Returns all fields, the one that was set first first. */
  async getAll(key: StructureKey): Promise<Partial<Fields>> {
    const items = await this.#calls.range(nameText(key, 'map.getAll.key'))
    return Object.fromEntries(items) as Partial<Fields>
  }

  /**
   * Sets fields, at most 1 000, in one step: all of them, or none.
   *
   * @throws StructureFullError when there is no room for new ones; ValueError for what would not come back unchanged
   */
  async set(key: StructureKey, fields: Partial<Fields>): Promise<Changed> {
    const option = 'map.set.fields'
    const at = nameText(key, 'map.set.key')
    return this.#calls.put(at, fieldsIn(fields, option), option)
  }

  /**
   * Changes a field from what it is at that moment, whatever others do meanwhile. `change` gets `undefined` where there is no such field,
   * leaves it as it is by returning `undefined`, and may run several times. After a `StructureUnavailableError` it is unknown whether the
   * change was made: look before you make it again.
   *
   * @returns what the field is now
   * @throws UpdateConflictError after 20 tries; what `change` throws; and as `set`
   * @example await carts.update('user-7', 'sku-1', (line = { quantity: 0 }) => ({ ...line, quantity: line.quantity + 1 }))
   */
  async update<Field extends FieldOf<Fields>>(
    key: StructureKey,
    field: Field,
    change: (
      value: Fields[Field] | undefined,
    ) => Fields[Field] | undefined | Promise<Fields[Field] | undefined>,
  ): Promise<Fields[Field] | undefined> {
    const at = nameText(key, 'map.update.key')
    const name = nameText(field, 'map.update.field')
    assertFunction(change, 'map.update.change')
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const [found] = await this.#calls.read(at, { kind: 'names', names: [name] })
      const before = found?.value as Fields[Field] | undefined
      const value = await change(before)
      if (value === undefined) return before
      const item = { name, value, expected: found?.version ?? 0 }
      if (await this.#calls.replace(at, item, 'map.update.change')) return value
    }
    throw new UpdateConflictError(`${name} of ${at}`, MOST_TRIES)
  }

  /** Removes fields, at most 1 000. @returns how many there were */
  async delete(
    key: StructureKey,
    fields: FieldOf<Fields> | readonly FieldOf<Fields>[],
  ): Promise<number> {
    const option = 'map.delete.fields'
    const names = namesIn(Array.isArray(fields) ? fields : [fields], option)
    return this.#calls.remove(nameText(key, 'map.delete.key'), names, option)
  }

  /** Returns how many fields there are. */
  async count(key: StructureKey): Promise<number> {
    return this.#calls.count(nameText(key, 'map.count.key'))
  }

  /** Removes the whole map. @returns whether there was one */
  async clear(key: StructureKey): Promise<boolean> {
    return this.#calls.clear(nameText(key, 'map.clear.key'))
  }
}

function fieldsIn(fields: unknown, option: string) {
  if (Object.prototype.toString.call(fields) !== '[object Object]') {
    const expected = 'an object with the fields'
    throw new InvalidOptionError({ option, expected, received: fields })
  }
  return Object.entries(fields as object).map(([field, value]) => {
    if (value !== undefined) return { name: nameText(field, option), value }
    const expected = 'values that are not undefined (delete removes a field)'
    throw new InvalidOptionError({ option, expected, received: value })
  })
}

function namesIn(fields: unknown, option: string): readonly string[] {
  assertList(fields, option)
  return fields.map((field) => nameText(field, option))
}
