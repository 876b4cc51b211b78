/** What do local hits cost when reads spread over many keys? Prints it, and writes hits.json and a chart (P13). */

import { apart } from './apart.ts'
import type { Bar } from './chart.ts'
import type { Timed } from './harness.ts'
import { hitSpread, type Spread, spreadsOf } from './hit-spread.ts'
import { printQuestion, printTargets, writeChart, writeJson } from './report.ts'
import { hitTargets } from './targets.ts'

export interface HitsOptions {
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

/** One spread, and what each contestant took for it, the floor first. */
export interface SpreadHits {
  readonly spread: Spread
  readonly timed: readonly Timed[]
}

const ask = apart(new URL('./hit-spread.ts', import.meta.url).href, hitSpread)

export async function hits({ machine, rounds, isQuick }: HitsOptions): Promise<void> {
  const spreads = spreadsOf(isQuick ? [1, 1_000] : [1, 100, 1_000, 10_000, 100_000])
  const operations = isQuick ? 20_000 : 200_000
  const answers: SpreadHits[] = []
  for (const spread of spreads) {
    const timed = await ask(spread, { operations, rounds })
    answers.push({ spread, timed })
    printQuestion({ id: '', title: titleOf(spread), timed })
  }
  const targets = hitTargets(answers.map(({ timed }) => timed))
  printTargets(targets)
  if (isQuick) return
  writeJson('hits', { machine, rounds, answers, targets })
  writeChart('hits', 'Local hit by keys and how they are drawn, time over the floor', bars(answers))
}

function titleOf({ keys, distribution }: Spread): string {
  return keys === 1 ? 'Local hit, one key' : `Local hit, ${keys} keys, ${distribution}`
}

/** The floor is the same for all, so the peers can be compared by what each takes over it; the fastest says enough. */
function bars(answers: readonly SpreadHits[]): readonly Bar[] {
  return answers.flatMap(({ spread, timed }) => {
    const [floor, byKey, byArgument, adaptive, ...peers] = timed
    const fastest = [...peers].sort((a, b) => a.nsPerOp - b.nsPerOp)[0]
    const rows = {
      'key function': byKey,
      'default key': byArgument,
      adaptiveStore: adaptive,
      'fastest peer': fastest,
    }
    return Object.entries(rows).map(([name, row]) => {
      const value = (row?.nsPerOp ?? Number.NaN) / (floor?.nsPerOp ?? Number.NaN)
      const where = spread.keys === 1 ? '1 key' : `${spread.keys} ${spread.distribution}`
      return { name: `${where}: ${name}`, value, label: `× ${value.toFixed(2)}` }
    })
  })
}
