/** What happens to the machines that nodes run on: processes that are stopped, event loops that stand still, sleep. */

import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** How long an event loop stands still, ms. */
const STANDS_STILL_MS = [200, 2_000] as const
/** How long a machine sleeps at most while the others go on for seconds only, ms. */
const SLEEPS_MS = 1_200_000

/** A fault that is mended after `forMs`, or after some time. */
export interface StandingFault {
  readonly text: string
  readonly mend: () => void
  readonly forMs?: number
}

export class Machines {
  readonly #world: World
  readonly #stands: (fault: StandingFault) => void

  constructor(world: World, stands: (fault: StandingFault) => void) {
    this.#world = world
    this.#stands = stands
  }

  pause({ index, name }: SimNode): void {
    const { scheduler } = this.#world
    if (scheduler.isPaused(index)) return
    scheduler.pause(index)
    this.#stands({ text: `${name} is stopped`, mend: () => scheduler.resume(index) })
  }

  standStill({ index, name }: SimNode): void {
    const { scheduler, random } = this.#world
    if (scheduler.isPaused(index)) return
    scheduler.pause(index)
    const [shortest, longest] = STANDS_STILL_MS
    const forMs = shortest + random.int(longest - shortest)
    this.#stands({
      text: `${name} stands still`,
      mend: () => scheduler.resume(index),
      forMs,
    })
  }

  /** Lets the machine sleep, or those of all nodes: laptops are closed, or a virtual machine host is. */
  sleep(node: SimNode): void {
    const { scheduler, random, clock, alive } = this.#world
    const nodes = random.chance(0.3) ? alive : [node]
    const awake = nodes.filter(({ index }) => !scheduler.isPaused(index))
    // Whether the monotonic clock counts the time of sleep is up to the system.
    const isCounted = random.chance(0.3)
    for (const each of awake) {
      scheduler.pause(each.index)
      if (!isCounted) each.clock.fallAsleep()
    }
    const mend = (): void => {
      for (const each of awake) {
        each.clock.wake()
        scheduler.resume(each.index)
      }
    }
    const names = awake.map(({ name }) => name).join(' ')
    const how = isCounted ? ', and its clock goes on' : ''
    this.#stands({ text: `the machine of ${names} sleeps${how}`, mend })
    if (random.chance(0.3)) clock.advance(random.int(SLEEPS_MS))
  }
}
