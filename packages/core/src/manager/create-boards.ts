/** Makes what a manager's leaderboards are kept with. */

import { BoardStore } from '../boards/board-store.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What boards need of a manager. */
export interface BoardParts {
  readonly namespace: string
  readonly store: BoardStore
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** @throws InvalidOptionError where there is no provider */
export function createBoardParts(
  options: ResolvedManagerOptions,
  { events, work }: CacheNode,
): BoardParts {
  const { namespace, clock = createPreciseClock() } = options
  const provider = providerOf('boards', options)
  provider.open(namespace)
  return { namespace, store: new BoardStore(provider, clock, events), events, work, clock }
}
