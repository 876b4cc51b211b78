/** Side-by-side timing: contestants take turns within one run, so that a machine that slows down slows them all. */

export interface Contestant {
  readonly name: string
  /** Runs one round; returns how many operations it did. */
  round(): Promise<number>
}

export interface Timed {
  readonly name: string
  /** Median over rounds, nanoseconds an operation. */
  readonly nsPerOp: number
  readonly opsPerSecond: number
}

const WARM_UP_ROUNDS = 2

/** Reads a clock, in nanoseconds. */
export type ReadClock = () => number

const wallNs: ReadClock = () => Number(process.hrtime.bigint())

/**
 * What this process has used of the processor, collecting garbage included: for work that waits for nobody, which a busy
 * machine interrupts the more often the longer it takes. In steps of a microsecond.
 */
export const processorNs: ReadClock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1_000
}

/** Times the contestants in turn, `rounds` times, and returns their medians. */
export async function compare(
  contestants: readonly Contestant[],
  rounds: number,
  readClock: ReadClock = wallNs,
): Promise<readonly Timed[]> {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const { name, round: run } of contestants) {
      const from = readClock()
      const operations = await run()
      const ns = (readClock() - from) / operations
      if (round >= 0) samples.get(name)?.push(ns)
    }
  }
  return contestants.map(({ name }) => {
    const nsPerOp = median(samples.get(name) ?? [])
    return { name, nsPerOp, opsPerSecond: 1e9 / nsPerOp }
  })
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
