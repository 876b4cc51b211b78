import type { Contestant } from '../contestant.ts'
import { bentocache, bentocacheTuned } from './bentocache.ts'
import { cacheable } from './cacheable.ts'
import { larder } from './larder.ts'
import { layeredLoader, layeredLoaderTuned } from './layered-loader.ts'

export const contestants: readonly Contestant[] = [
  larder,
  bentocache,
  bentocacheTuned,
  layeredLoader,
  layeredLoaderTuned,
  cacheable,
]
