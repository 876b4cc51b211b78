/** What the chapters play on: two nodes, and what can be done to what connects them. */

import type { CacheManager } from '@larder/core'
import type { Peer } from './peer.ts'
import type { Watched } from './watch.ts'

/** A shared tier that may be stopped. */
export interface Stoppable {
  stop(): Promise<void>
  start(): Promise<void>
}

export interface Stage {
  /** One line for the audience. */
  readonly about: string
  /** Of node A, which is in this process. */
  readonly caches: CacheManager
  readonly nodeB: Peer
  /** What node B has seen, once it stops watching. */
  readonly watchedByB: Promise<Watched>
  /** Undefined: it is somebody else's. */
  readonly shared: Stoppable | undefined
  /** Loses the messages to node B, without its notice, until the function that is returned is called. */
  loseMessages?(): () => void
  close(): Promise<void>
}
