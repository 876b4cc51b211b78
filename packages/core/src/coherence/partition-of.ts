/** From a full key to its partition. */

import { PARTITIONS } from './partitions.ts'

/** Returns the partition of a full key: 32-bit FNV-1a over UTF-16 units, with a final mix so that the low bits spread. */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 12
  return (hash >>> 0) % PARTITIONS
}
