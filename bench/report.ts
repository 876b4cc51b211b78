/** What the benchmark says: as text, as JSON, and as charts in results/. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bar, barChart } from './chart.ts'
import type { Timed } from './harness.ts'

/** One target: what was measured, what it has to reach. */
export interface Target {
  readonly id: string
  readonly what: string
  readonly measured: number
  readonly atMost?: number
  readonly atLeast?: number
}

export interface Question {
  /** Names the chart's file. */
  readonly id: string
  readonly title: string
  readonly timed: readonly Timed[]
}

const FOLDER = join(import.meta.dirname, 'results')

export function printQuestion({ title, timed }: Question): void {
  const first = timed[0]?.nsPerOp ?? Number.NaN
  const width = Math.max(...timed.map(({ name }) => name.length))
  line(`\n${title}`)
  for (const { name, nsPerOp, opsPerSecond } of timed) {
    const cells = [
      name.padEnd(width),
      `${nsPerOp.toFixed(0)} ns`.padStart(10),
      `${Math.round(opsPerSecond).toLocaleString('en')} ops/s`.padStart(18),
      `time × ${(nsPerOp / first).toFixed(2)}`.padStart(13),
      `speed × ${(first / nsPerOp).toFixed(2)}`.padStart(13),
    ]
    line(`  ${cells.join('  ')}`)
  }
}

export function printRows(title: string, rows: readonly (readonly string[])[]): void {
  line(`\n${title}`)
  for (const [name = '', ...cells] of rows) line(`  ${name.padEnd(44)}  ${cells.join('   ')}`)
}

/** One row a target: reached or not, without any effect on the exit code, because machines differ. */
export function printTargets(targets: readonly Target[]): void {
  line('\nTargets')
  for (const { id, what, measured, atMost, atLeast } of targets) {
    const isReached =
      measured <= (atMost ?? Number.POSITIVE_INFINITY) &&
      measured >= (atLeast ?? Number.NEGATIVE_INFINITY)
    const wanted = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
    const cells = [
      id.padEnd(4),
      what.padEnd(66),
      measured.toFixed(2).padStart(10),
      wanted.padEnd(10),
    ]
    line(`  ${cells.join('  ')}  ${isReached ? 'reached' : 'not reached'}`)
  }
}

/** Writes results.json, and a chart for each question. */
export function writeResults(questions: readonly Question[], everything: object): void {
  writeJson('results', everything)
  for (const question of questions) writeQuestion(question)
}

/** Writes the chart of a question: how often a second each contestant did it. */
export function writeQuestion({ id, title, timed }: Question): void {
  const bars = timed.map(({ name, opsPerSecond }): Bar => {
    const label = `${Math.round(opsPerSecond).toLocaleString('en')} ops/s`
    return { name, value: opsPerSecond, label }
  })
  writeChart(id, title, bars)
}

export function writeJson(name: string, value: object): void {
  write(`${name}.json`, `${JSON.stringify(value, null, 2)}\n`)
}

export function writeChart(id: string, title: string, bars: readonly Bar[]): void {
  write(`${id}.svg`, barChart(title, bars))
}

export function write(file: string, text: string): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, file), text)
}

export function line(text: string): void {
  process.stdout.write(`${text}\n`)
}
