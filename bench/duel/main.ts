/**
 * The same traffic and the same faults for Larder and its peers, one table: `npm run duel`, or with `-- --quick`.
 *
 * Fails only for what Larder promises itself: nothing stale on the node that evicted, nothing stale at rest, no errors,
 * no call that hangs.
 */

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EvictionVerdict } from '../../test/support/history/eviction-history.ts'
import { contestants } from './contestants/index.ts'
import { duelOfLimits } from './limits/main.ts'
import { duelOfLocks } from './locks/main.ts'
import { scenarios } from './scenarios.ts'

const run = promisify(execFile)
const isQuick = process.argv.includes('--quick')
const LASTS_MS = isQuick ? 2_000 : 6_000
const FIGHT_MS = 90_000
/** A store timeout, a load, and room for a noisy machine. */
const SLOWEST_MS = 3_000

interface Row {
  readonly scenario: string
  readonly contestant: string
  readonly verdict: EvictionVerdict | undefined
}

const rows: Row[] = []
/** `-- --limits`, `-- --locks`: only those. */
const isAboutLimits = process.argv.includes('--limits')
const isAboutLocks = process.argv.includes('--locks')
const isAboutCaches = !isAboutLimits && !isAboutLocks
const chosen = isQuick ? contestants.filter(({ name }) => name === 'Larder') : contestants
for (const { name: scenario, what } of isAboutCaches ? scenarios : []) {
  process.stdout.write(`\n${scenario}: ${what}\n`)
  process.stdout.write(`  ${header()}\n`)
  for (const { name: contestant } of chosen) {
    const verdict = await fight(contestant, scenario)
    rows.push({ scenario, contestant, verdict })
    process.stdout.write(`  ${contestant.padEnd(24)} ${cells(verdict)}\n`)
  }
}
const folder = join(import.meta.dirname, '..', 'results')
mkdirSync(folder, { recursive: true })
if (!isQuick && isAboutCaches)
  writeFileSync(join(folder, 'duel.json'), `${JSON.stringify(rows, null, 2)}\n`)
const broken = rows.filter(({ contestant, verdict }) => contestant === 'Larder' && !keeps(verdict))
for (const { scenario } of broken) process.stderr.write(`Larder broke its promise in ${scenario}\n`)
const brokenElsewhere = [
  ...(isAboutLocks ? [] : await duelOfLimits(isQuick)),
  ...(isAboutLimits ? [] : await duelOfLocks(isQuick)),
]
for (const what of brokenElsewhere) process.stderr.write(`Larder broke its promise: ${what}\n`)
process.exitCode = broken.length + brokenElsewhere.length === 0 ? 0 : 1

async function fight(contestant: string, scenario: string): Promise<EvictionVerdict | undefined> {
  const file = join(import.meta.dirname, 'fight.ts')
  const args = ['--import', 'tsx', file, contestant, scenario, String(LASTS_MS)]
  try {
    const { stdout } = await run(process.execPath, args, { timeout: FIGHT_MS })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as EvictionVerdict
  } catch (error) {
    process.stderr.write(`${contestant} did not come through: ${String(error).slice(0, 300)}\n`)
    return undefined
  }
}

function keeps(verdict: EvictionVerdict | undefined): boolean {
  if (verdict === undefined) return false
  const { staleOwn, staleAtRest, errors, hung, slowestMs } = verdict
  return staleOwn + staleAtRest + errors + hung === 0 && slowestMs < SLOWEST_MS
}

function header(): string {
  const names = ['reads', 'stale own', 'stale other', 'oldest ms', 'at rest', 'loads/key', 'errors']
  return `${' '.repeat(25)}${[...names, 'hung', 'slowest ms'].map((name) => name.padStart(11)).join('')}`
}

function cells(verdict: EvictionVerdict | undefined): string {
  if (verdict === undefined) return 'did not come through'
  const { reads, staleOwn, staleOther, oldestMs, staleAtRest, loadsPerKey } = verdict
  const figures = [reads, staleOwn, staleOther, oldestMs, staleAtRest, loadsPerKey]
  const rest = [verdict.errors, verdict.hung, verdict.slowestMs]
  return [...figures, ...rest].map((figure) => figure.toFixed(0).padStart(11)).join('')
}
