/** Traces made from a seed: what caches are known to be good and bad at, each alone and together. */

import { type Random, randomFrom } from '../../../test/support/seed.ts'
import type { Trace } from './trace.ts'
import { zipf } from './zipf.ts'

const UNIVERSE = 50_000
/** Between two of the sizes that are measured: those below it have nothing from a loop but what they refuse to drop. */
const LOOP = 3_000
const SCAN = 10_000
const SCAN_EVERY = 50_000
/** Keys of scans and loops are nobody else's. */
const ELSEWHERE = 1_000_000
const SHIFT_EVERY = 1_000
const SHIFT_BY = 50
const PHASE = 12_500
/** About as long as an adaptive policy takes to find out: what it learns is wrong by the time it has. */
const SHORT_PHASE = 5_000

/** The same seed and length give the same traces on every machine. */
export function generatedTraces(seed: number, length: number): readonly Trace[] {
  const made = (name: string, next: (random: Random) => (at: number) => number): Trace => {
    const nextKey = next(randomFrom(seed))
    return { name, keys: Int32Array.from({ length }, (_, at) => nextKey(at)) }
  }
  return [
    made('Zipf 0.8', (random) => zipf(random, UNIVERSE, 0.8)),
    made('Zipf 1.0', (random) => zipf(random, UNIVERSE, 1)),
    made('Zipf 1.2', (random) => zipf(random, UNIVERSE, 1.2)),
    made('Zipf 1.0 with scans', scanned),
    made('loop', () => (at) => at % LOOP),
    made('shifting popularity', shifting),
    made('recency', recent),
    made('mixture', mixture),
    made('alternating', alternating),
  ]
}

/** A fifth of it walks through keys that nobody asks for again. */
function scanned(random: Random): (at: number) => number {
  const popular = zipf(random, UNIVERSE, 1)
  return (at) => (at % SCAN_EVERY < SCAN ? ELSEWHERE + at : popular())
}

/** What is popular moves on: ranks stay, keys change places a few at a time. */
function shifting(random: Random): (at: number) => number {
  const popular = zipf(random, UNIVERSE, 1)
  return (at) => popular() + Math.floor(at / SHIFT_EVERY) * SHIFT_BY
}

/** Half new keys, half what was asked for lately, the later the likelier: what LRU is made for. */
function recent(random: Random): (at: number) => number {
  const ago = zipf(random, UNIVERSE, 0.9)
  const history: number[] = []
  return (at) => {
    const key = random.chance(0.5) ? at : (history[at - 1 - ago()] ?? at)
    history.push(key)
    return key
  }
}

/** Popular keys and recent ones in turn, against policies that adapt. */
function alternating(random: Random): (at: number) => number {
  const popular = zipf(random, UNIVERSE, 1)
  const newer = recent(random)
  let recentCount = 0
  return (at) => {
    if (Math.floor(at / SHORT_PHASE) % 2 === 0) return popular()
    recentCount += 1
    return ELSEWHERE + newer(recentCount - 1)
  }
}

/** Phases: popular keys, recent ones, a loop, and all three in turn. */
function mixture(random: Random): (at: number) => number {
  const popular = zipf(random, UNIVERSE, 1)
  const newer = recent(random)
  const kinds = [
    () => popular(),
    (at: number) => ELSEWHERE + newer(at),
    (at: number) => 2 * ELSEWHERE + (at % LOOP),
  ]
  let recentCount = 0
  return (at) => {
    const phase = Math.floor(at / PHASE) % (kinds.length + 1)
    const kind = phase === kinds.length ? at % kinds.length : phase
    if (kind === 1) recentCount += 1
    return kinds[kind]?.(kind === 1 ? recentCount - 1 : at) ?? 0
  }
}
