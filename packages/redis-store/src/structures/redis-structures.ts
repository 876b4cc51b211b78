/** Maps, sets and lists on Redis. Every step is one script; lua/structure-*.lua says what each does. */

import type {
  StructureCapabilities,
  StructurePart,
  StructureProvider,
  StructurePut,
  StructurePutReply,
  StructureReply,
  StructureRule,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import { structureKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { readItems, readPut } from './structure-replies.ts'

/**
 * Creates a provider of maps, sets and lists on a Redis of its own, apart from the cache's: for a server that neither drops keys for room
 * nor loses them at a restart. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', structures: redisStructures({ url: process.env.CARTS_URL }) })
 */
export function redisStructures(options: RedisStoreOptions): StructureProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisStructures({ backend, options: resolved, ownsBackend: true })
}

export class RedisStructures extends BackedProvider implements StructureProvider {
  readonly capabilities: StructureCapabilities = { shared: true }

  constructor(parts: BackedParts) {
    super(parts, 'structures')
  }

  async put(
    rule: StructureRule,
    key: string,
    items: readonly StructurePut[],
  ): Promise<StructurePutReply> {
    const { structure, ttlMs, most, whenFull } = rule
    const args = [
      this.now,
      ttlMs,
      most,
      whenFull,
      ...items.flatMap(({ name, expected, bytes }) => [name, expected ?? '', bufferOf(bytes)]),
    ]
    return readPut(await this.run({ script: 'structurePut', keys: this.#at(structure, key), args }))
  }

  async remove(
    { structure, ttlMs }: StructureRule,
    key: string,
    names: readonly string[],
  ): Promise<number> {
    const keys = this.#at(structure, key)
    const [removed] = await this.run({ script: 'structureRemove', keys, args: [ttlMs, ...names] })
    return numberOf(removed)
  }

  async read(
    { structure }: StructureRule,
    key: string,
    part: StructurePart,
  ): Promise<StructureReply> {
    const args =
      part.kind === 'names' ? ['names', ...part.names] : [part.from, part.skip, part.take]
    return readItems(
      await this.run({ script: 'structureRead', keys: this.#at(structure, key), args }),
    )
  }

  async clear({ structure }: StructureRule, key: string): Promise<boolean> {
    const keys = this.#at(structure, key)
    const [wasThere] = await this.run({ script: 'structureClear', keys, args: [] })
    return wasThere === 1
  }

  #at(structure: string, key: string): string[] {
    return [...structureKeys(this.namespace, structure, key)]
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
