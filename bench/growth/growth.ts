/** How do costs grow: with entries held, nodes, tags, the size of a value? And for how long is the event loop held up? */

import { printRows, writeChart, writeJson } from '../report.ts'
import { byEntries } from './entries.ts'
import { loopDelays } from './event-loop.ts'
import { type Growth, nanoseconds } from './kit.ts'
import { byNodes } from './nodes.ts'
import { byPayload } from './payloads.ts'
import { byTags } from './tags.ts'

export interface GrowthOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

/** Asks all of it, prints it, and writes growth.json and a chart for each question. */
export async function growth({ url, machine, rounds, isQuick }: GrowthOptions): Promise<void> {
  const operations = isQuick ? 10_000 : 200_000
  const answers: Growth[] = []
  const told = (answer: Growth): void => {
    answers.push(answer)
    printRows(
      answer.title,
      answer.points.map(({ series, size, ns }) => [
        `${series}: ${size}`,
        nanoseconds(ns).padStart(10),
        `time × ${(ns / firstOf(answer, series)).toFixed(2)}`,
      ]),
    )
  }
  const entries = isQuick ? [100, 10_000] : [100, 10_000, 1_000_000]
  told(await byEntries(entries, operations, rounds))
  told(await byNodes(url, [1, 4, 16], isQuick ? 20 : 300))
  for (const answer of await byTags(url, [0, 1, 4, 16, 64], operations, rounds)) told(answer)
  const reads = (full: number): number => (isQuick ? Math.ceil(full / 10) : full)
  const payloads = [
    { name: '100 B', bytes: 100, reads: reads(10_000) },
    { name: '10 kB', bytes: 10_000, reads: reads(2_000) },
    { name: '1 MB', bytes: 1_000_000, reads: reads(40) },
  ]
  told(await byPayload(url, payloads, rounds))
  const delays = await loopDelays(url, isQuick ? 5 : 50)
  printRows(
    'Event loop, longest time between two looks at it, for each value of 1 MB',
    delays.map(({ name, p50Ms, p90Ms }) => [
      name,
      `p50 ${p50Ms.toFixed(2)} ms`,
      `p90 ${p90Ms.toFixed(2)} ms`,
    ]),
  )
  if (isQuick) return
  writeJson('growth', { machine, rounds, answers, delays })
  for (const { id, title, points } of answers) {
    const bars = points.map(({ series, size, ns }) => {
      return { name: `${series}: ${size}`, value: ns, label: nanoseconds(ns) }
    })
    writeChart(id, title, bars)
  }
  writeChart(
    'growth-event-loop',
    'Event loop, longest time between two looks at it, median, values of 1 MB',
    delays.map(({ name, p50Ms }) => ({ name, value: p50Ms, label: `${p50Ms.toFixed(1)} ms` })),
  )
}

/** What the series cost at its smallest size: ratios show the growth. */
function firstOf({ points }: Growth, series: string): number {
  return points.find((point) => point.series === series)?.ns ?? Number.NaN
}
