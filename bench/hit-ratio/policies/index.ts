/** The policies that are compared; the first is what the others are compared with. */

import { betterOfTwo } from './better-of-two.ts'
import { adaptiveStorePolicy, lruStorePolicy } from './local-stores.ts'
import { lru } from './lru.ts'
import type { Policy } from './policy.ts'
import { s3Fifo } from './s3-fifo.ts'
import { sieve } from './sieve.ts'
import { adaptiveWTinyLfu, wTinyLfu } from './w-tinylfu.ts'

export const policies: readonly Policy[] = [
  lru,
  lruStorePolicy,
  adaptiveStorePolicy,
  s3Fifo,
  sieve,
  wTinyLfu,
  adaptiveWTinyLfu,
  betterOfTwo,
]
