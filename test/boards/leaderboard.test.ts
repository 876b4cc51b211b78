/** What leaderboards promise, on each store. */

import { BoardRangeError, InvalidOptionError } from '@larder/core'
import { createLeaderboard, type Leaderboard, type RankKind } from '@larder/plugins/boards'
import { describe, expect, it } from 'vitest'
import { openBoards, PLACES } from './support/stage.ts'

const MOST = Number.MAX_SAFE_INTEGER
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function fill(board: Leaderboard, scores: Readonly<Record<string, number>>): Promise<void> {
  for (const [member, score] of Object.entries(scores)) await board.submit(member, score)
}

const membersOf = (places: readonly { readonly member: string }[]): string =>
  places.map(({ member }) => member).join(' ')

describe.each(PLACES)('a leaderboard %s', (place) => {
  const open = (options: Partial<Parameters<typeof createLeaderboard>[1]> = {}) => {
    const { caches, time } = openBoards(place)
    return { board: createLeaderboard(caches, { name: 'b', ...options }), caches, time }
  }

  it('counts places in three ways', async () => {
    const { board } = open()
    await fill(board, { ada: 30, bob: 20, cy: 20, dee: 10 })
    const ranks = async (kind: RankKind) =>
      (await board.top(10, { kind })).map(({ rank }) => rank).join(' ')
    expect(await ranks('ordinal')).toBe('1 2 3 4')
    expect(await ranks('standard')).toBe('1 2 2 4')
    expect(await ranks('dense')).toBe('1 2 2 3')
    expect(await board.rank('cy', { kind: 'ordinal' })).toBe(3)
    expect(await board.rank('cy')).toBe(2)
    expect(await board.rank('dee', { kind: 'dense' })).toBe(3)
    // From the middle of those who share a place.
    expect(await board.top(2, { skip: 2 })).toEqual([
      { member: 'cy', score: 20, rank: 2 },
      { member: 'dee', score: 10, rank: 4 },
    ])
    expect(await board.count()).toBe(4)
  })

  it('takes 0 for a score like any other, and nobody for nobody', async () => {
    const { board } = open()
    expect(await board.submit('ada', 0)).toEqual({ score: 0, previous: undefined, isKept: true })
    expect(await board.submit('ada', 0)).toEqual({ score: 0, previous: 0, isKept: true })
    expect(await board.rank('ada')).toBe(1)
    expect(await board.score('ada')).toBe(0)
    expect(Object.is((await board.top(1))[0]?.score, 0)).toBe(true)
    expect(await board.rank('bob')).toBeUndefined()
    expect(await board.score('bob')).toBeUndefined()
    expect(await board.around('bob', 5)).toEqual([])
    expect(await board.remove('bob')).toBe(false)
  })

  it('shows those around a member, at both ends as far as there are so many', async () => {
    const { board } = open()
    await fill(board, { a: 6, b: 5, c: 4, d: 3, e: 2, f: 1 })
    expect(membersOf(await board.around('c', 1))).toBe('b c d')
    expect(membersOf(await board.around('a', 2))).toBe('a b c')
    expect(membersOf(await board.around('f', 2))).toBe('d e f')
    expect(membersOf(await board.around('b', 100))).toBe('a b c d e f')
    expect(await board.around('e', 0)).toEqual([{ member: 'e', score: 2, rank: 5 }])
  })

  it('puts the one first who reached a score first, or last', async () => {
    const first = open()
    await fill(first.board, { late: 5, zoe: 10, ada: 10 })
    await first.board.submit('late', 10)
    // Not reached once more: it is what it was.
    await first.board.submit('zoe', 10)
    await first.board.submit('zoe', 3)
    expect(membersOf(await first.board.top(3))).toBe('zoe ada late')
    const last = open({ ties: 'last' })
    await fill(last.board, { zoe: 10, ada: 10, mia: 10 })
    expect(membersOf(await last.board.top(3))).toBe('mia ada zoe')
    expect((await last.board.top(3, { kind: 'ordinal' })).map(({ rank }) => rank)).toEqual([
      1, 2, 3,
    ])
    const races = open({ update: 'min' })
    await fill(races.board, { zoe: 10, ada: 10, mia: 9 })
    expect(membersOf(await races.board.top(3))).toBe('mia zoe ada')
  })

  it.each([
    ['max', [5, 3, 7], 7],
    ['min', [5, 3, 7], 3],
    ['last', [5, 7, 3], 3],
    ['add', [5, -3, 7], 9],
  ] as const)('keeps what update: %s says', async (update, scores, kept) => {
    const { board } = open({ update })
    for (const score of scores) await board.submit('ada', score)
    expect(await board.score('ada')).toBe(kept)
  })

  it('is exact up to 2^53 - 1, and refuses what is beyond', async () => {
    const { board } = open()
    await fill(board, { a: MOST, b: MOST - 1, c: -MOST, d: 1 - MOST })
    expect(await board.top(4)).toEqual([
      { member: 'a', score: MOST, rank: 1 },
      { member: 'b', score: MOST - 1, rank: 2 },
      { member: 'd', score: 1 - MOST, rank: 3 },
      { member: 'c', score: -MOST, rank: 4 },
    ])
    // 2^53 + 1 is 2^53 before anybody sees it.
    for (const score of [2 ** 53, 2 ** 53 + 1, -(2 ** 53), 1e300])
      await expect(board.submit('a', score)).rejects.toThrow(InvalidOptionError)
    const sums = open({ update: 'add' })
    await sums.board.submit('a', MOST - 1)
    expect(await sums.board.submit('a', 1)).toMatchObject({ score: MOST })
    await expect(sums.board.submit('a', 1)).rejects.toThrow(BoardRangeError)
    await expect(sums.board.submit('a', MOST)).rejects.toThrow(/the leaderboard b /)
    expect(await sums.board.score('a')).toBe(MOST)
  })

  it('refuses what is no score, and changes nothing then', async () => {
    const { board } = open()
    for (const score of [Number.NaN, Infinity, -Infinity, -0, 1.5, '5', null, undefined, 5n])
      await expect(board.submit('a', score as number)).rejects.toThrow(
        /leaderboard\.submit\.score.*a whole number/,
      )
    const pairs = [
      ['a', 1],
      ['b', Number.NaN],
    ] as const
    await expect(board.submitMany(pairs)).rejects.toThrow(/submitMany\[1\]\.score/)
    for (const member of ['', '\ud800', {}, null, Number.NaN, 'x'.repeat(1_001)])
      await expect(board.submit(member as string, 1)).rejects.toThrow(/submit\.member/)
    expect(await board.count()).toBe(0)
  })

  it('takes as many decimals as it was told', async () => {
    const { board } = open({ decimals: 2, update: 'add' })
    await board.submit('a', 0.1)
    expect(await board.submit('a', 0.2)).toMatchObject({ score: 0.3, previous: 0.1 })
    await board.submit('b', 0.1 + 0.2)
    expect((await board.top(2)).map(({ score }) => score)).toEqual([0.3, 0.3])
    await board.submit('c', -19.99)
    expect(await board.score('c')).toBe(-19.99)
    await expect(board.submit('a', 1.005)).rejects.toThrow(/at most 2 decimals/)
    await expect(board.submit('a', 0.001)).rejects.toThrow(InvalidOptionError)
    await expect(board.submit('a', 1e14)).rejects.toThrow(InvalidOptionError)
  })

  it('takes any text as a member, and a number as its digits', async () => {
    const { board } = open()
    const members = ['a:b', '{x}', 'a\0b', 'ünï', '日本', ' ', '-0', 'x'.repeat(1_000)]
    await board.submitMany(members.map((member, i) => [member, i]))
    await board.submit(7, 100)
    expect((await board.top(20)).map(({ member }) => member)).toEqual(['7', ...members.reverse()])
    expect(await board.rank('7')).toBe(1)
    expect(await board.remove(7)).toBe(true)
    expect(await board.rank('7')).toBeUndefined()
  })

  it('drops the worst one for room, and its place with it', async () => {
    const { board } = open({ keep: 3 })
    await fill(board, { a: 30, b: 20, c: 20 })
    expect(await board.submit('d', 10)).toEqual({ score: 10, previous: undefined, isKept: false })
    expect(await board.score('d')).toBeUndefined()
    expect(await board.submit('e', 25)).toMatchObject({ isKept: true })
    expect(membersOf(await board.top(10))).toBe('a e b')
    // The last one with 20 goes, so that no gap stays behind.
    await board.submit('f', 22)
    await board.submit('g', 24)
    expect((await board.top(10, { kind: 'dense' })).map(({ rank }) => rank)).toEqual([1, 2, 3])
    await board.submit('h', 24)
    await board.remove('a')
    expect(await board.rank('g', { kind: 'dense' })).toBe(2)
    expect(await board.count()).toBe(2)
  })

  it('begins anew where clocks show midnight, on days of 23 and of 25 hours', async () => {
    const { board, time } = open({ per: 'day', timeZone: 'Europe/Berlin', periods: 3 })
    // 29 March 2026 has 23 hours in Berlin, 25 October has 25.
    for (const [midnight, hours] of [
      [Date.UTC(2026, 2, 28, 23), 23],
      [Date.UTC(2026, 9, 24, 22), 25],
    ] as const) {
      time.now = midnight
      await board.submit('ada', 1)
      time.now = midnight + hours * HOUR_MS - 1
      expect(await board.score('ada')).toBe(1)
      await board.submit('bob', 2)
      time.now += 1
      expect(await board.count()).toBe(0)
      await board.submit('cy', 3)
      expect(membersOf(await board.top(5, { ago: 1 }))).toBe('bob ada')
      time.now -= 1
      expect(await board.count()).toBe(2)
    }
  })

  it.each([
    ['max', 9],
    ['min', 1],
    ['last', 4],
    ['add', 14],
  ] as const)('merges periods with update: %s', async (update, merged) => {
    const { board, time } = open({ per: 'day', periods: 3, update, best: 'highest' })
    for (const score of [9, 1, 4]) {
      await fill(board, { ada: score, [`only${score}`]: 5 })
      time.now += DAY_MS
    }
    time.now -= DAY_MS
    expect(await board.score('ada', { merge: 3 })).toBe(merged)
    expect(await board.count({ merge: 3 })).toBe(4)
    expect(await board.score('ada')).toBe(4)
    expect(await board.count({ merge: 2 })).toBe(3)
    expect(await board.count({ ago: 1, merge: 2 })).toBe(3)
    const dense = await board.top(9, { merge: 3, kind: 'dense' })
    expect(dense.map(({ rank }) => rank)).toEqual(
      update === 'max' || update === 'add' ? [1, 2, 2, 2] : [1, 1, 1, 2],
    )
  })

  it('merges without periods that are over, and leaves out those that nobody was in', async () => {
    const { board, time } = open({ per: 'day', periods: 3, update: 'add' })
    await board.submit('old', 100)
    time.now += DAY_MS
    await board.submit('ada', 1)
    time.now += 2 * DAY_MS
    await board.submit('ada', 2)
    expect(await board.top(5, { merge: 3 })).toEqual([{ member: 'ada', score: 3, rank: 1 }])
    time.now += 30 * DAY_MS
    expect(await board.top(5, { merge: 3 })).toEqual([])
    expect(await board.rank('ada', { merge: 3 })).toBeUndefined()
  })

  it('removes a member from all periods', async () => {
    const { board, time } = open({ per: 'hour', periods: 4 })
    for (let n = 0; n < 3; n++) {
      await fill(board, { ada: n, eve: 10 + n })
      time.now += HOUR_MS
    }
    expect(await board.remove('eve')).toBe(true)
    expect(membersOf(await board.top(5, { merge: 4 }))).toBe('ada')
    expect(await board.remove('eve')).toBe(false)
  })

  it('keeps boards of two names apart', async () => {
    const { board, caches } = open()
    const other = createLeaderboard(caches, { name: 'b.2' })
    await board.submit('ada', 1)
    expect(await other.count()).toBe(0)
  })
})
