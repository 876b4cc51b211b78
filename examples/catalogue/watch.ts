/** Reads one product over and over, and notes when which state was read: evidence for "no stale read". */

import type { ProductService } from './product-service.ts'

/** One read. Instants are ms since the epoch, comparable between processes of one machine. */
export interface Sighting {
  readonly startedAt: number
  readonly changed: number
}

export interface Watched {
  readonly reads: number
  readonly errors: readonly string[]
  readonly slowestMs: number
  /** The last time each state was still read. */
  readonly lastSeen: readonly Sighting[]
}

/** Starts reading; `stop` ends it, and `done` resolves with what was seen. */
export function watchProduct(
  products: ProductService,
  id: number,
): { stop(): void; readonly done: Promise<Watched> } {
  let isStopped = false
  const run = async (): Promise<Watched> => {
    const lastSeen = new Map<number, number>()
    const errors: string[] = []
    let reads = 0
    let slowestMs = 0
    while (!isStopped) {
      const startedAt = performance.timeOrigin + performance.now()
      try {
        const found = await products.find(id)
        if (found !== undefined) lastSeen.set(found.changed, startedAt)
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error))
      }
      slowestMs = Math.max(slowestMs, performance.timeOrigin + performance.now() - startedAt)
      reads += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    const sightings = Array.from(lastSeen, ([changed, startedAt]) => ({ changed, startedAt }))
    return { reads, errors, slowestMs, lastSeen: sightings }
  }
  return {
    stop: () => {
      isStopped = true
    },
    done: run(),
  }
}

/** For how long a state was still read after it had been replaced, ms; 0 when never. */
export function stalestRead(watched: Watched, replacedAt: ReadonlyMap<number, number>): number {
  const ages = watched.lastSeen.map(({ changed, startedAt }) => {
    const at = replacedAt.get(changed)
    return at === undefined ? 0 : startedAt - at
  })
  return Math.max(0, ...ages)
}
