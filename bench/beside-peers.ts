/** How does Larder compare with its peers and with plain clients, and with the targets the project has set itself? */

import { apart } from './apart.ts'
import { sizes } from './bytes.ts'
import { evictionReach, tagCost } from './evictions.ts'
import { knownRefusal, limitCalls } from './limits.ts'
import { localHit } from './local-hit.ts'
import { contendedLock, freeLock } from './locks.ts'
import { miss } from './miss.ts'
import { remoteHit } from './remote-hit.ts'
import { printQuestion, printRows, printTargets, type Question, writeResults } from './report.ts'
import { stampede } from './stampede.ts'
import { targetsOf } from './targets.ts'
import { writes } from './writes.ts'

export interface PeerOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const at = (file: string): string => new URL(file, import.meta.url).href
const ASKED = {
  localHit: apart(at('./local-hit.ts'), localHit),
  remoteHit: apart(at('./remote-hit.ts'), remoteHit),
  miss: apart(at('./miss.ts'), miss),
  limitCalls: apart(at('./limits.ts'), limitCalls),
  knownRefusal: apart(at('./limits.ts'), knownRefusal),
  freeLock: apart(at('./locks.ts'), freeLock),
  contendedLock: apart(at('./locks.ts'), contendedLock),
  writes: apart(at('./writes.ts'), writes),
  evictionReach: apart(at('./evictions.ts'), evictionReach),
  tagCost: apart(at('./evictions.ts'), tagCost),
  sizes: apart(at('./bytes.ts'), sizes),
}
const CONTENDERS = 8
const HOLD_MS = 10
const FEW_TAGGED = 10

/** Asks all of it, prints it, and writes results.json and a chart for each question. */
export async function besidePeers(options: PeerOptions): Promise<void> {
  const { url, machine, rounds, isQuick } = options
  const reads = isQuick ? 20_000 : 100_000
  const questions: Question[] = []
  await ask('local-hit', 'Local hit, awaited', () =>
    ASKED.localHit(isQuick ? 100_000 : 500_000, rounds),
  )
  await ask('remote-hit-64', 'Remote hit, 64 callers', () =>
    ASKED.remoteHit(url, 64, reads, rounds),
  )
  await ask('remote-hit-1', 'Remote hit, 1 caller', () =>
    ASKED.remoteHit(url, 1, reads / 10, rounds),
  )
  await ask('miss-64', 'Miss, kept in both tiers, 64 callers', () =>
    ASKED.miss(url, 64, reads / 5, rounds),
  )
  await ask('limit-64', 'Rate limit, 64 callers', () =>
    ASKED.limitCalls(url, 64, reads / 5, rounds),
  )
  await ask('refusal', 'Refusal that is known already', () =>
    ASKED.knownRefusal(url, reads, rounds),
  )
  await ask('lock-64', 'Free lock, acquire and release, 64 callers', () =>
    ASKED.freeLock(url, 64, reads / 10, rounds),
  )
  await ask('lock-1', 'Free lock, acquire and release, 1 caller', () =>
    ASKED.freeLock(url, 1, reads / 50, rounds),
  )
  const written = await ASKED.writes(url, 64, reads / 10, rounds)
  await ask('write-64', 'Changes, 64 callers', async () => written)
  printRows(
    "Redis's processor for a change, 64 callers",
    written.map(({ name, redisUs }) => [name, `${redisUs.toFixed(1)} µs`]),
  )

  const waiting = await ASKED.contendedLock(url, CONTENDERS, HOLD_MS, isQuick ? 10 : 50)
  printRows(
    `Contended lock, ${CONTENDERS} contenders, held for ${HOLD_MS} ms: waiting`,
    waiting.map(({ name, p50Ms, p99Ms, timesIdeal }) => [
      name,
      `p50 ${p50Ms.toFixed(1)} ms`,
      `p99 ${p99Ms.toFixed(1)} ms`,
      `p99 × ${timesIdeal.toFixed(2)} of contenders × hold`,
    ]),
  )
  const cold = await stampede(url, 10_000, isQuick ? 2 : 5)
  printRows('One cold key', [
    [
      `${cold.callers} callers in ${cold.processes} processes`,
      `${cold.loads} load at worst`,
      `${cold.ms.toFixed(0)} ms`,
    ],
  ])
  const reach = await ASKED.evictionReach(url, isQuick ? 200 : 1_000)
  printRows(
    'From one node to another',
    reach.map(({ name, p50Ms, p99Ms }) => [
      name,
      `p50 ${p50Ms.toFixed(2)} ms`,
      `p99 ${p99Ms.toFixed(2)} ms`,
    ]),
  )
  const tags = await ASKED.tagCost(
    url,
    [FEW_TAGGED, isQuick ? 10_000 : 1_000_000],
    isQuick ? 100 : 300,
  )
  printRows(
    'Invalidating a tag',
    tags.map(({ entries, p50Ms }) => [
      `that ${entries} entries carry`,
      `p50 ${p50Ms.toFixed(2)} ms`,
    ]),
  )
  const size = await ASKED.sizes(url)
  printRows('Sizes', [
    ['stored entry, without value and tags', `${size.remoteOverhead} bytes`],
    ['heap, entry of lru-cache', `${size.lruEntry.toFixed(0)} bytes`],
    ['heap, entry of the local tier', `${size.larderEntry.toFixed(0)} bytes`],
    ['the same, hit by a decorated method', `${size.larderHitEntry.toFixed(0)} bytes`],
    ['@larder/core, minified and gzipped', `${size.importBytes} bytes`],
  ])
  const targets = targetsOf({ questions, written, waiting, cold, reach, tags, size })
  printTargets(targets)
  const extras = { written, waiting, cold, reach, tags, size, targets }
  if (!isQuick) writeResults(questions, { machine, rounds, questions, ...extras })

  async function ask(id: string, title: string, answer: () => Promise<Question['timed']>) {
    const question = { id, title, timed: await answer() }
    questions.push(question)
    printQuestion(question)
  }
}
