/** Asks again and again, less and less often, until the answer is yes or the time is over. */

import type { Clock } from '@larder/core/store'

const FIRST_MS = 5
const MOST_MS = 200

/** Returns whether it was yes in time. @throws what asking throws */
export async function waitUntil(
  clock: Clock,
  endsAt: number,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(MOST_MS, waitMs * 2)) {
    if (await ask()) return true
    const leftMs = endsAt - clock.now()
    if (leftMs <= 0) return false
    const delayMs = Math.min(waitMs, leftMs)
    await new Promise<void>((resolve) => clock.schedule(delayMs, resolve, 'caller'))
  }
}
