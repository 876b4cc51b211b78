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

/** Returns what has passed since some moment, ns. */
type Meter = () => number

const wallTime: Meter = () => Number(process.hrtime.bigint())

/** For what waits for nothing: the time of this process alone, whatever else the machine is busy with. */
export const processorTime: Meter = () => {
  const { user, system } = process.cpuUsage()
  return 1_000 * (user + system)
}

/** Times the contestants in turn, `rounds` times, and returns their medians. */
export async function compare(
  contestants: readonly Contestant[],
  rounds: number,
  meter = wallTime,
): Promise<readonly Timed[]> {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const { name, round: run } of contestants) {
      const from = meter()
      const operations = await run()
      const ns = (meter() - from) / operations
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
