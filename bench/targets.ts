/** The targets the project has set itself, against one run's figures. Ratios, because machines differ. */

import type { Sizes } from './bytes.ts'
import type { Spread, TagCost } from './evictions.ts'
import type { Timed } from './harness.ts'
import type { Waiting } from './locks.ts'
import type { Question, Target } from './report.ts'
import type { Stampede } from './stampede.ts'
import type { TimedWrites } from './writes.ts'

export interface Figures {
  readonly questions: readonly Question[]
  readonly written: readonly TimedWrites[]
  readonly waiting: readonly Waiting[]
  readonly cold: Stampede
  readonly reach: readonly Spread[]
  readonly tags: readonly TagCost[]
  readonly size: Sizes
}

const KNOWN_REFUSAL_NS = 1_000

export function targetsOf(figures: Figures): readonly Target[] {
  const { written, waiting, cold, reach, tags, size } = figures
  const timed = (id: string): readonly Timed[] =>
    figures.questions.find((question) => question.id === id)?.timed ?? []
  const [raw, evicted] = reach
  const [few, many] = tags
  const [plainWrite, set, warm] = written
  const hit = timed('local-hit')
  const [floor, explicit, byDefault] = hit
  const peers = hit.filter(({ name }) => !/^(Larder|floor)/.test(name))
  const larderWait = waiting.find(({ name }) => name.startsWith('Larder'))
  return [
    target('P1', 'local hit, time over the floor', timeOver(explicit, floor), { atMost: 1.5 }),
    target('P1', 'local hit, speed over the fastest peer', speedOver(explicit, fastest(peers)), {
      atLeast: 1,
    }),
    target('P2', 'local hit, default key, time over the floor', timeOver(byDefault, floor), {
      atMost: 2.5,
    }),
    target(
      'P3',
      'remote hit, 64 callers, speed over plain ioredis',
      larderOver(timed('remote-hit-64'), 0),
      {
        atLeast: 2.5,
      },
    ),
    target(
      'P3',
      'remote hit, 64 callers, speed over plain node-redis',
      larderOver(timed('remote-hit-64'), 1),
      {
        atLeast: 1,
      },
    ),
    target(
      'P4',
      'remote hit, 1 caller, speed over plain ioredis',
      larderOver(timed('remote-hit-1'), 0),
      {
        atLeast: 0.95,
      },
    ),
    target('P5', 'miss, speed over the fastest two-tier peer', overFastest(timed('miss-64')), {
      atLeast: 1.5,
    }),
    target('P6', 'loads of one cold key', cold.loads, { atMost: 1 }),
    target('P7', 'eviction elsewhere, p50 over a bare publish', ratio(evicted?.p50Ms, raw?.p50Ms), {
      atMost: 1.5,
    }),
    target('P7', 'eviction elsewhere, p99 over a bare publish', ratio(evicted?.p99Ms, raw?.p99Ms), {
      atMost: 3,
    }),
    target('P8', 'invalidating a tag of many over one of few', ratio(many?.p50Ms, few?.p50Ms), {
      atMost: 1.2,
    }),
    target('P9', 'rate limit, speed over rate-limiter-flexible', larderOver(timed('limit-64'), 0), {
      atLeast: 2,
    }),
    target('P9', 'known refusal, ns', timed('refusal')[0]?.nsPerOp ?? Number.NaN, {
      atMost: KNOWN_REFUSAL_NS,
    }),
    target(
      'P10',
      'free lock, 64 callers, speed over plain commands',
      larderOver(timed('lock-64'), 0),
      {
        atLeast: 0.95,
      },
    ),
    target(
      'P10',
      'contended lock, p99 over contenders × hold',
      larderWait?.timesIdeal ?? Number.NaN,
      {
        atMost: 1.5,
      },
    ),
    target(
      'P16',
      'free lock, 1 caller, speed over plain commands',
      larderOver(timed('lock-1'), 0),
      {
        atLeast: 0.9,
      },
    ),
    // Three times what they were when they did not share scripts, and half of what they cost Redis then.
    target('P17', 'set, 64 callers, speed over SET and PUBLISH', speedOver(set, plainWrite), {
      atLeast: 0.8,
    }),
    target('P17', 'warm, speed over SET and PUBLISH', speedOver(warm, plainWrite), {
      atLeast: 0.8,
    }),
    target(
      'P17',
      "Redis's time for a set, over SET and PUBLISH",
      ratio(set?.redisUs, plainWrite?.redisUs),
      { atMost: 2 },
    ),
    target('P11', 'stored entry, bytes besides value and tags', size.remoteOverhead, {
      atMost: 64,
    }),
    target('P11', "local entry, heap over lru-cache's", size.larderEntry / size.lruEntry, {
      atMost: 1.3,
    }),
  ]
}

/** Of hits over several spreads, each with the rows of `hitSpread`: the worst of them (P13, P18). */
export function hitTargets(spreads: readonly (readonly Timed[])[]): readonly Target[] {
  const worst = (index: number): number =>
    Math.max(...spreads.map((timed) => timeOver(timed[index], timed[0])))
  const least = Math.min(
    ...spreads.map(([, byKey, byArgument, , ...peers]) =>
      Math.min(speedOver(byKey, fastest(peers)), speedOver(byArgument, fastest(peers))),
    ),
  )
  return [
    target('P13', 'local hit over many keys, time over the floor', worst(1), { atMost: 1.3 }),
    target('P13', 'the same, default key', worst(2), { atMost: 1.3 }),
    target('P13', 'the same, speed over the fastest peer', least, { atLeast: 1 }),
    target('P18', 'the same, adaptiveStore, time over the floor', worst(3), { atMost: 1.6 }),
  ]
}

/** Of hits that somebody watches, in the order of `watchedHit`: next to those that nobody does (P21). */
export function watchedTargets([nobody, ...watchers]: readonly Timed[]): readonly Target[] {
  return watchers.map((each) => {
    const what = `local hit, ${each.name}, over unwatched`
    // The same, and room for the noise of a machine.
    return target('P21', what, timeOver(each, nobody), { atMost: 1.1 })
  })
}

function target(
  id: string,
  what: string,
  measured: number,
  bound: Pick<Target, 'atMost' | 'atLeast'>,
): Target {
  return { id, what, measured, ...bound }
}

/** The best of Larder's rows against the row at `index`. */
function larderOver(timed: readonly Timed[], index: number): number {
  return speedOver(fastest(timed.filter(({ name }) => name.startsWith('Larder'))), timed[index])
}

function overFastest(timed: readonly Timed[]): number {
  const isOurs = ({ name }: Timed): boolean => name.startsWith('Larder')
  return speedOver(fastest(timed.filter(isOurs)), fastest(timed.filter((each) => !isOurs(each))))
}

function fastest(timed: readonly Timed[]): Timed | undefined {
  return [...timed].sort((a, b) => a.nsPerOp - b.nsPerOp)[0]
}

function timeOver(one: Timed | undefined, other: Timed | undefined): number {
  return ratio(one?.nsPerOp, other?.nsPerOp)
}

function speedOver(one: Timed | undefined, other: Timed | undefined): number {
  return ratio(other?.nsPerOp, one?.nsPerOp)
}

function ratio(a = Number.NaN, b = Number.NaN): number {
  return a / b
}
