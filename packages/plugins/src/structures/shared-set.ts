/** Sets over a cache manager's store: members that are compared by what they are, and not by their bytes. */

import { createHash } from 'node:crypto'
import { type CacheManager, InvalidOptionError, KeyError } from '@larder/core'
import { encodeArguments } from '@larder/core/store'
import { nameText } from '../boards/common-options.ts'
import type { StructureKey } from './shared-map.ts'
import { assertList, StructureCalls } from './structure-calls.ts'
import { resolveStructureOptions, type StructureOptions } from './structure-options.ts'

/**
 * Creates sets that are kept in the store of a manager: the remote one, or without one in this process. There is one for each key.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps structures; ClosedError
 * @example
 * const blocked = createSet<string>(caches, { name: 'blocked', ttl: '30d', localCopy: '1m' })
 * if (await blocked.has('addresses', request.ip)) return
 */
export function createSet<Member = string>(
  caches: CacheManager,
  options: StructureOptions,
): SharedSet<Member> {
  const resolved = resolveStructureOptions('set', options)
  return new SharedSet(new StructureCalls(caches, resolved, 'createSet'))
}

/**
 * Members are the same when they are the same as arguments of a cached method: plain objects with the same parts in any order are, `1` and
 * `'1'` are not.
 */
export class SharedSet<Member = string> {
  readonly #calls: StructureCalls

  /** Use `createSet`. */
  constructor(calls: StructureCalls) {
    this.#calls = calls
  }

  /**
   * Adds a member.
   *
   * @returns whether it was not there before
   * @throws StructureFullError when there is no room; StructureUnavailableError; InvalidOptionError for what cannot be compared;
   * ValueError for what would not come back unchanged
   */
  async add(key: StructureKey, member: Member): Promise<boolean> {
    return (await this.#add(key, [member], 'set.add.member')) > 0
  }

  /** Adds members, at most 1 000, in one step: all of them, or none. @returns how many were not there before @throws as `add` */
  async addMany(key: StructureKey, members: readonly Member[]): Promise<number> {
    assertList(members, 'set.addMany.members')
    return this.#add(key, members, 'set.addMany.members')
  }

  /** Returns whether it is a member. @throws StructureUnavailableError; InvalidOptionError; so do all of these */
  async has(key: StructureKey, member: Member): Promise<boolean> {
    const [isMember = false] = await this.#has(key, [member], 'set.has.member')
    return isMember
  }

  /** Returns for each whether it is a member, in order; at most 1 000. */
  async hasMany(key: StructureKey, members: readonly Member[]): Promise<readonly boolean[]> {
    assertList(members, 'set.hasMany.members')
    return this.#has(key, members, 'set.hasMany.members')
  }

  /** Removes a member. @returns whether it was there */
  async remove(key: StructureKey, member: Member): Promise<boolean> {
    return (await this.#remove(key, [member], 'set.remove.member')) > 0
  }

  /** Removes members, at most 1 000, in one step. @returns how many were there */
  async removeMany(key: StructureKey, members: readonly Member[]): Promise<number> {
    assertList(members, 'set.removeMany.members')
    return this.#remove(key, members, 'set.removeMany.members')
  }

  /** Returns all members, the one that was added first first. Objects and arrays are frozen. */
  async members(key: StructureKey): Promise<readonly Member[]> {
    const items = await this.#calls.range(nameText(key, 'set.members.key'))
    return items.map(([, member]) => member as Member)
  }

  /** Returns how many members there are. */
  async count(key: StructureKey): Promise<number> {
    return this.#calls.count(nameText(key, 'set.count.key'))
  }

  /** Removes the whole set. @returns whether there was one */
  async clear(key: StructureKey): Promise<boolean> {
    return this.#calls.clear(nameText(key, 'set.clear.key'))
  }

  async #add(key: StructureKey, members: readonly Member[], option: string): Promise<number> {
    const items = members.map((value) => ({ name: memberName(value, option), value }))
    return (await this.#calls.put(nameText(key, 'set.add.key'), items, option)).added
  }

  async #has(
    key: StructureKey,
    members: readonly Member[],
    option: string,
  ): Promise<readonly boolean[]> {
    const names = members.map((member) => memberName(member, option))
    const found = await this.#calls.values(nameText(key, 'set.has.key'), names, option)
    return names.map((name) => found.has(name))
  }

  #remove(key: StructureKey, members: readonly Member[], option: string): Promise<number> {
    const names = members.map((member) => memberName(member, option))
    return this.#calls.remove(nameText(key, 'set.remove.key'), names, option)
  }
}

const NAME_LENGTH = 22

/** A digest, because the members themselves go through the codec and its steps, which may encrypt. @throws InvalidOptionError */
function memberName(member: unknown, option: string): string {
  if (member === undefined || member === null) {
    throw new InvalidOptionError({ option, expected: 'a value', received: member })
  }
  let text: string
  try {
    text = encodeArguments([member])
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause
    const expected = 'a member that can be compared: plain data, or an object with toCacheKey()'
    throw new InvalidOptionError({ option, expected, received: member, cause })
  }
  return createHash('sha256').update(text).digest('base64url').slice(0, NAME_LENGTH)
}
