/**
 * Prints how Larder compares, by ratio, and writes the same as JSON into results/.
 *
 * `npm run bench`, or `npm run bench -- --quick`. Needs redis-server on PATH or REDIS_URL for the remote part.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../test/support/redis-server.ts'
import type { Timed } from './harness.ts'
import { localHit } from './local-hit.ts'
import { contendedLock, freeLock, type Waiting } from './locks.ts'
import { remoteHit } from './remote-hit.ts'

const isQuick = process.argv.includes('--quick')
const rounds = isQuick ? 3 : 9

const CONTENDERS = 8
const HOLD_MS = 10

interface Question {
  readonly title: string
  readonly timed: readonly Timed[]
}

const server = process.env['REDIS_URL'] === undefined ? await startRedis() : undefined
const url = server?.url ?? process.env['REDIS_URL'] ?? ''
const reads = isQuick ? 20_000 : 100_000
const questions: Question[] = [
  { title: 'Local hit, awaited', timed: await localHit(isQuick ? 100_000 : 500_000, rounds) },
  { title: 'Remote hit, 64 callers', timed: await remoteHit(url, 64, reads, rounds) },
  { title: 'Remote hit, 1 caller', timed: await remoteHit(url, 1, reads / 10, rounds) },
  { title: 'Free lock, 64 callers', timed: await freeLock(url, 64, reads / 10, rounds) },
  { title: 'Free lock, 1 caller', timed: await freeLock(url, 1, reads / 50, rounds) },
]
const waiting = await contendedLock(url, CONTENDERS, HOLD_MS, isQuick ? 10 : 50)
await server?.stop()

const [processor] = cpus()
process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown'}; medians of ${rounds} rounds, in turn\n`,
)
for (const { title, timed } of questions) print(title, timed)
printWaiting(waiting)
const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
writeFileSync(
  join(folder, 'speed.json'),
  `${JSON.stringify({ node: process.version, rounds, questions, waiting }, null, 2)}\n`,
)

/** Ratios are to the first row. */
function print(title: string, timed: readonly Timed[]): void {
  const first = timed[0]?.nsPerOp ?? Number.NaN
  const width = Math.max(...timed.map(({ name }) => name.length))
  process.stdout.write(`\n${title}\n`)
  for (const { name, nsPerOp, opsPerSecond } of timed) {
    const cells = [
      name.padEnd(width),
      `${nsPerOp.toFixed(0)} ns`.padStart(10),
      `${Math.round(opsPerSecond).toLocaleString('en')} ops/s`.padStart(18),
      `time × ${(nsPerOp / first).toFixed(2)}`.padStart(12),
      `speed × ${(first / nsPerOp).toFixed(2)}`.padStart(13),
    ]
    process.stdout.write(`  ${cells.join('  ')}\n`)
  }
}

/** How long callers wait for a lock that is wanted all the time. */
function printWaiting(waiting: readonly Waiting[]): void {
  const width = Math.max(...waiting.map(({ name }) => name.length))
  process.stdout.write(`\nContended lock, ${CONTENDERS} contenders, held ${HOLD_MS} ms: waiting\n`)
  for (const { name, p50Ms, p99Ms, timesIdeal } of waiting) {
    const cells = [
      name.padEnd(width),
      `p50 ${p50Ms.toFixed(1)} ms`.padStart(14),
      `p99 ${p99Ms.toFixed(1)} ms`.padStart(16),
      `p99 × ${timesIdeal.toFixed(2)} of contenders × hold`,
    ]
    process.stdout.write(`  ${cells.join('  ')}\n`)
  }
}
