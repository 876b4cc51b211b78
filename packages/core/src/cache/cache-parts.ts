/** What a cache is made of. */

import type { Policy } from '../options/cache-options.ts'
import type { CacheNode } from './node.ts'
import type { PutPath } from './put-path.ts'
import type { ReadPath } from './read-path.ts'
import type { UpdatePath } from './update-path.ts'
import type { WritePath } from './write-path.ts'

/** The parts of a named cache; shared by the decorators. */
export interface CacheParts {
  readonly name: string
  /** The tag every entry of the cache carries. */
  readonly cacheTag: string
  readonly policy: Policy
  readonly node: CacheNode
  readonly reads: ReadPath
  readonly writes: WritePath
  readonly puts: PutPath
  readonly updates: UpdatePath
}
