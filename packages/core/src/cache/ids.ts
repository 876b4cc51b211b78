/** Numbers that nobody else draws: tokens of leases, and commit ids of writes. */

import { randomFillSync } from 'node:crypto'

const ID_BYTES = 6
/** Random bytes for many ids: asking the system for a few at a time costs more than the rest of a claim. */
const pool = Buffer.alloc(ID_BYTES * 1_024)
let used = pool.length

/** Returns a random non-zero 48-bit number: a lease token or commit id. */
export function randomId(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = pool.readUIntBE(used, ID_BYTES)
  used += ID_BYTES
  return id || 1
}
