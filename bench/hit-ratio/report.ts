/** What was measured, as text, as JSON and as charts in results/. */

import { lineChart } from '../line-chart.ts'
import { line, write, writeChart, writeJson } from '../report.ts'
import type { Cost } from './cost.ts'
import { type Measured, UPPER_BOUND } from './measure.ts'
import { EQUAL_WITHIN, pointsOverLru, type Verdict } from './verdict.ts'

const NAME_WIDTH = 28
const CELL_WIDTH = 9

export function printMeasured(measured: Measured): void {
  const { trace, accesses, distinct, sizes, rows } = measured
  line(`\n${trace}: ${accesses} accesses to ${distinct} keys; entries`)
  line(`  ${cells('', sizes.map(String))}`)
  const [base, ...others] = rows
  line(`  ${cells(`${base?.policy}, %`, (base?.ratios ?? []).map(percent))}`)
  for (const { policy } of others)
    line(`  ${cells(policy, pointsOverLru(measured, policy).map(signed))}`)
}

export function printVerdicts(title: string, all: readonly Verdict[]): void {
  line(`\n${title}: points of hit ratio over LRU; equal means within ${EQUAL_WITHIN}`)
  line(`  ${cells('', ['better', 'equal', 'worse', 'mean', 'worst'])}  where it is worst`)
  for (const { policy, cells: count, better, worse, mean, worst, worstAt } of all) {
    const figures = [better, count - better - worse, worse].map(String)
    line(`  ${cells(policy, [...figures, signed(mean), signed(worst)])}  ${worstAt}`)
  }
  const winners = all.filter(({ isNeverWorse, isBetterOnMost }) => isNeverWorse && isBetterOnMost)
  const names = winners.map(({ policy }) => policy).join(', ')
  line(`  Never worse than LRU, and better on most: ${names === '' ? 'none' : names}`)
}

export function printCosts(costs: readonly Cost[]): void {
  line('\nCost in process, string keys, next to lru-cache')
  line(`  ${cells('', ['hit ns', 'hit ×', 'miss ns', 'miss ×'])}`)
  for (const { policy, hitNs, missNs, hitRatio, missRatio } of costs) {
    const figures = [hitNs.toFixed(0), hitRatio.toFixed(2), missNs.toFixed(0), missRatio.toFixed(2)]
    line(`  ${cells(policy, figures)}`)
  }
}

export function writeMeasured(
  id: string,
  title: string,
  measured: readonly Measured[],
  found: readonly Verdict[],
): void {
  const names = found.map(({ policy }) => policy)
  const places = (measured[0]?.sizes ?? []).map((size) =>
    size < 1_024 ? `${size}` : `${size / 1_024}k`,
  )
  const panels = measured.map((each) => ({
    title: each.trace,
    lines: names.map((name) => pointsOverLru(each, name)),
  }))
  writeJson(id, { upperBound: UPPER_BOUND, measured, verdicts: found })
  write(`${id}.svg`, lineChart({ title, names, places, panels, label: signedShort }))
}

export function writeCosts(machine: string, costs: readonly Cost[]): void {
  writeJson('hit-ratio-cost', { machine, costs })
  const bars = costs.map(({ policy, hitRatio }) => {
    return { name: policy, value: hitRatio, label: `× ${hitRatio.toFixed(2)}` }
  })
  writeChart('hit-ratio-cost', 'Time of a hit in the policy alone, over that of lru-cache', bars)
}

function cells(name: string, figures: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + figures.map((figure) => figure.padStart(CELL_WIDTH)).join('')
}

function percent(ratio: number): string {
  return (ratio * 100).toFixed(2)
}

function signed(points: number): string {
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`
}

function signedShort(points: number): string {
  return points === 0 ? '0' : `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`
}
