/** How often is a cold key loaded that ten thousand callers in four processes want at once? (P6) */

import { startWorker } from '../test/support/process/worker.ts'
import type { worker } from './stampede.worker.ts'

export interface Stampede {
  readonly processes: number
  readonly callers: number
  readonly loads: number
  /** From the first call to the last answer, ms. */
  readonly ms: number
}

/** Returns the loads of one key, each time a new one, the worst of `rounds`. */
export async function stampede(url: string, callers: number, rounds: number): Promise<Stampede> {
  const processes = 4
  const namespace = `bench-stampede-${process.pid}`
  const workers = await Promise.all(
    Array.from({ length: processes }, () =>
      startWorker<typeof worker>(new URL('./stampede.worker.ts', import.meta.url), {
        url,
        namespace,
      }),
    ),
  )
  let worst = { loads: 0, ms: 0 }
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    const loads = await Promise.all(
      workers.map((each) => each.call('ask', `k${round}`, callers / processes)),
    )
    const sum = loads.reduce((total, own) => total + own, 0)
    if (sum >= worst.loads) worst = { loads: sum, ms: performance.now() - begun }
  }
  await Promise.all(workers.map((each) => each.stop()))
  return { processes, callers, ...worst }
}
