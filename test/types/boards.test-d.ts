/** What the types of boards say: a buffered counter promises less, and a salt is required. */

import type { CacheManager } from '@larder/core'
import {
  type Added,
  type BufferedCounter,
  type BufferedCounterOptions,
  type Counter,
  type CounterOptions,
  createCounter,
  createLeaderboard,
  createUniques,
} from '@larder/plugins/boards'
import { expectTypeOf } from 'vitest'

declare const caches: CacheManager

const counter: Counter = createCounter(caches, { name: 'hits' })
const buffered: BufferedCounter = createCounter(caches, { name: 'hits', buffer: '1s' })
export const added: Promise<Added> = counter.add('home', 1, { id: 'a' })
expectTypeOf(buffered.add('home')).toEqualTypeOf<void>()
// @ts-expect-error: its sums have no ids of calls
buffered.add('home', 1, { id: 'a' })
// @ts-expect-error: nothing of a counter waits here
counter.flush()
declare const either: CounterOptions | BufferedCounterOptions
// @ts-expect-error: which kind of counter it is would not be known
export const options: CounterOptions = either

const board = createLeaderboard(caches, { name: 'weekly', per: 'week' })
export const rank: Promise<number | undefined> = board.rank('ada', { kind: 'dense' })
// @ts-expect-error: there is no such way of counting
board.rank('ada', { kind: 'fractional' })
// @ts-expect-error: scores are numbers
board.submit('ada', 5n)
// @ts-expect-error: no board without a name
createLeaderboard(caches, { per: 'week' })

// @ts-expect-error: visitors are kept as digests only
createUniques(caches, { name: 'visitors' })
