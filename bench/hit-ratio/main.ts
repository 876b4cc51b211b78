/**
 * What would another policy have kept that LRU dropped? `npm run hit-ratio`, or with `-- --traces <folder>` also on
 * recorded traces (`*.i32be.gz`, `*.trace.gz`), or with `-- --quick` in the short form, which writes no results.
 */

import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { line, printTargets } from '../report.ts'
import { costs } from './cost.ts'
import { type Measured, measure } from './measure.ts'
import { policies } from './policies/index.ts'
import { adaptiveStorePolicy } from './policies/local-stores.ts'
import { printCosts, printMeasured, printVerdicts, writeCosts, writeMeasured } from './report.ts'
import { generatedTraces } from './traces/generated.ts'
import { recordedTraces } from './traces/recorded.ts'
import type { Trace } from './traces/trace.ts'
import { hitRatioTargets, verdicts } from './verdict.ts'

const { values } = parseArgs({
  options: { traces: { type: 'string' }, quick: { type: 'boolean' }, seed: { type: 'string' } },
})
const isQuick = values.quick === true
const seed = Number(values.seed ?? 1)
const sizes = isQuick
  ? [64, 1_024, 16_384]
  : [64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384]

const [processor] = cpus()
const machine = `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown'}`
line(`${machine}; traces generated from seed ${seed}`)

const generated = answer(
  'hit-ratio-generated',
  'Generated traces',
  generatedTraces(seed, isQuick ? 50_000 : 500_000),
)
const recorded: Measured[] = []
if (values.traces === undefined) {
  line(
    '\nRecorded traces: none; name a folder of *.i32be.gz or *.trace.gz with -- --traces <folder>',
  )
} else {
  // Where npm was called, not where it runs this.
  const folder = resolve(process.env['INIT_CWD'] ?? '..', values.traces)
  const most = isQuick ? 50_000 : Number.POSITIVE_INFINITY
  recorded.push(...answer('hit-ratio-recorded', 'Recorded traces', recordedTraces(folder, most)))
  printVerdicts('All traces', verdicts([...generated, ...recorded]))
}
const cost = await costs(policies, isQuick ? 100_000 : 1_000_000, isQuick ? 3 : 9)
printCosts(cost)
printTargets(hitRatioTargets([...generated, ...recorded], adaptiveStorePolicy.name))
if (!isQuick) writeCosts(machine, cost)

function answer(id: string, title: string, traces: readonly Trace[]): readonly Measured[] {
  const measured = traces.map((trace) => {
    const row = measure(trace, policies, sizes)
    printMeasured(row)
    return row
  })
  const found = verdicts(measured)
  printVerdicts(title, found)
  if (!isQuick)
    writeMeasured(id, `${title}: points of hit ratio over LRU, by entries`, measured, found)
  return measured
}
