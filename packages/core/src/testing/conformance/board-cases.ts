/** The conformance suite of board providers: on the provider's own time, and without periods where an edge of one would matter. */

import assert from 'node:assert/strict'
import type {
  BoardPlace,
  BoardProvider,
  BoardRule,
  BoardView,
} from '../../contracts/board-provider.ts'
import { BoardOptionsError } from '../../errors/board-error.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { type BoardCase, COUNTING_CASES } from './counting-cases.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface BoardsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly boards: readonly [BoardProvider, BoardProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeBoards = () => BoardsUnderTest | Promise<BoardsUnderTest>

const MOST = Number.MAX_SAFE_INTEGER
const NOW: BoardView = { ago: 0, merge: 1, maxAgeMs: 0 }
const RULE: BoardRule = {
  board: 'b',
  per: 'none',
  timeZone: 'UTC',
  periods: 1,
  update: 'max',
  best: 'highest',
  ties: 'first',
  keep: 100,
  decimals: 0,
}

const CASES: readonly BoardCase[] = [
  [
    'has nobody on a board at first',
    async ([board]) => {
      const range = { kind: 'range', skip: 0, take: 10 } as const
      assert.deepEqual(await board.look(RULE, NOW, range), { count: 0, places: [] })
      const around = { kind: 'around', member: 'a', each: 1 } as const
      assert.deepEqual(await board.look(RULE, NOW, around), { count: 0, places: [] })
      assert.equal(await board.remove(RULE, 'a'), 0)
    },
  ],
  [
    'shows both ends the same places, in three ways of counting',
    async ([one, other]) => {
      await put(one, { a: 3, b: 2 })
      await put(other, { c: 2, d: 1 })
      for (const end of [one, other])
        assert.deepEqual(await top(end), [
          { member: 'a', score: 3, ordinal: 1, standard: 1, dense: 1 },
          { member: 'b', score: 2, ordinal: 2, standard: 2, dense: 2 },
          { member: 'c', score: 2, ordinal: 3, standard: 2, dense: 2 },
          { member: 'd', score: 1, ordinal: 4, standard: 4, dense: 3 },
        ])
    },
  ],
  [
    'says what a score replaced, and what came of it',
    async ([one, other]) => {
      const first = { score: 0, previous: undefined, outcome: 'kept' }
      assert.deepEqual(await one.submit(RULE, [{ member: 'a', score: 0 }]), [first])
      const scores = [
        { member: 'a', score: 5 },
        { member: 'a', score: 4 },
      ]
      assert.deepEqual(await other.submit(RULE, scores), [
        { score: 5, previous: 0, outcome: 'kept' },
        { score: 5, previous: 5, outcome: 'kept' },
      ])
    },
  ],
  [
    'takes any text for a member',
    async ([one, other]) => {
      const members = ['a:b', '{x}', 'a\0b', 'ü☃', ' ', '"', '\n', 'm'.repeat(1_000)]
      await one.submit(
        RULE,
        members.map((member, i) => ({ member, score: i })),
      )
      assert.deepEqual(
        (await top(other)).map(({ member }) => member),
        members.toReversed(),
      )
    },
  ],
  [
    'is exact at both ends of the range, and refuses a sum beyond it',
    async ([board]) => {
      const sums: BoardRule = { ...RULE, update: 'add' }
      await put(board, { a: MOST, b: MOST - 1, c: -MOST }, sums)
      const [refused] = await board.submit(sums, [{ member: 'a', score: 1 }])
      assert.deepEqual(refused, { score: MOST, previous: MOST, outcome: 'range' })
      const scores = (await top(board, sums)).map(({ score }) => score)
      assert.deepEqual(scores, [MOST, MOST - 1, -MOST])
    },
  ],
  [
    'orders equal scores by who reached them',
    async ([one, other]) => {
      for (const ties of ['first', 'last'] as const) {
        for (const best of ['highest', 'lowest'] as const) {
          const rule: BoardRule = { ...RULE, board: `${ties}-${best}`, ties, best, update: 'last' }
          await put(one, { z: 1, m: 1 }, rule)
          await put(other, { a: 1 }, rule)
          const order = (await top(one, rule)).map(({ member }) => member).join('')
          assert.equal(order, ties === 'first' ? 'zma' : 'amz')
        }
      }
    },
  ],
  [
    'keeps the best ones, and forgets the others with their scores',
    async ([one, other]) => {
      const rule: BoardRule = { ...RULE, keep: 2 }
      await put(one, { a: 3, b: 1 }, rule)
      const scores = [
        { member: 'c', score: 2 },
        { member: 'd', score: 1 },
      ]
      const outcomes = (await other.submit(rule, scores)).map(({ outcome }) => outcome)
      assert.deepEqual(outcomes, ['kept', 'dropped'])
      assert.deepEqual(
        (await top(one, rule)).map(({ member, dense }) => [member, dense]),
        [
          ['a', 1],
          ['c', 2],
        ],
      )
    },
  ],
  [
    'forgets a member that is removed',
    async ([one, other]) => {
      await put(one, { a: 3, b: 2, c: 1 })
      assert.equal(await other.remove(RULE, 'b'), 1)
      assert.deepEqual(
        (await top(one)).map(({ member, dense }) => [member, dense]),
        [
          ['a', 1],
          ['c', 2],
        ],
      )
    },
  ],
  [
    'merges the periods that are kept, of which the past ones may be empty',
    async ([one, other]) => {
      const rule: BoardRule = { ...RULE, per: 'month', periods: 3, update: 'add' }
      await put(one, { a: 1, b: 2 }, rule)
      const range = { kind: 'range', skip: 0, take: 10 } as const
      const { count, places } = await other.look(rule, { ...NOW, merge: 3 }, range)
      assert.equal(count, 2)
      assert.deepEqual(
        places.map(({ member }) => member),
        ['b', 'a'],
      )
    },
  ],
  [
    'refuses a rule by which what is kept would be misread, and only for that board',
    async ([one, other]) => {
      await put(one, { a: 1 })
      const range = { kind: 'range', skip: 0, take: 10 } as const
      const others: readonly Partial<BoardRule>[] = [
        { best: 'lowest' },
        { ties: 'last' },
        { decimals: 1 },
        { per: 'day' },
      ]
      for (const each of others) {
        const rule: BoardRule = { ...RULE, ...each }
        await assert.rejects(other.submit(rule, [{ member: 'b', score: 2 }]), BoardOptionsError)
        await assert.rejects(other.look(rule, NOW, range), BoardOptionsError)
        await put(other, { a: 1 }, { ...rule, board: `another.${Object.keys(each)[0]}` })
      }
      await put(other, { b: 2 }, { ...RULE, update: 'last', keep: 5, timeZone: 'utc' })
      assert.equal((await top(one)).length, 2)
    },
  ],
  [
    'keeps boards apart',
    async ([one, other]) => {
      await put(one, { a: 1 })
      assert.deepEqual(await top(other, { ...RULE, board: 'b.2' }), [])
    },
  ],
]

async function put(
  board: BoardProvider,
  scores: Readonly<Record<string, number>>,
  rule = RULE,
): Promise<void> {
  const all = Object.entries(scores).map(([member, score]) => ({ member, score }))
  await board.submit(rule, all)
}

async function top(board: BoardProvider, rule = RULE): Promise<readonly BoardPlace[]> {
  return (await board.look(rule, NOW, { kind: 'range', skip: 0, take: 100 })).places
}

/**
 * Lists what every board provider must do, each on providers of its own.
 *
 * @example
 * runCases(boardCases(() => ({ boards: [make(), make()], namespace: 'test' })), { test })
 */
export function boardCases(make: MakeBoards): readonly ConformanceCase[] {
  return [...CASES, ...COUNTING_CASES].map(([name, run]) => ({
    name,
    async run() {
      const { boards, namespace, cleanup } = await make()
      try {
        for (const end of boards) end.open(namespace)
        await run(boards)
        return PASSED
      } finally {
        await Promise.all(boards.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
