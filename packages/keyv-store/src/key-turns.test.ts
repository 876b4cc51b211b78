import { expect, it } from 'vitest'
import { KeyTurns } from './key-turns.ts'

function setUp() {
  let now = 0
  const done: string[] = []
  const note = (what: string) => async (): Promise<void> => void done.push(what)
  const turns = new KeyTurns(
    (key) => note(`removed ${key}`)(),
    () => now,
  )
  const pass = (ms: number): void => {
    now += ms
  }
  return { turns, done, note, pass }
}

/** A write whose end is in the test's hands. */
function held(): { readonly write: () => Promise<void>; readonly end: () => void } {
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { write: () => ended, end }
}

it('runs the writes of a key one after another, also after one that failed', async () => {
  const { turns, done, note } = setUp()
  const first = held()
  const writes = [
    turns.run(['a'], first.write),
    turns.run(['a', 'b'], () => Promise.reject(new Error('no'))).catch(() => undefined),
    turns.run(['b'], note('b')),
    turns.run(['c'], note('c')),
  ]
  await writes[3]
  expect(done).toEqual(['c'])
  first.end()
  await Promise.all(writes)
  expect(done).toEqual(['c', 'b'])
})

it('passes by a write that is never answered, and deletes its key when it ends after all', async () => {
  const { turns, done, note, pass } = setUp()
  const stuck = held()
  const late = turns.run(['a'], stuck.write)
  const behind = turns.run(['a'], note('behind'))
  pass(10_001)
  await turns.run(['a'], note('new'))
  expect(done).toEqual(['new'])
  stuck.end()
  await Promise.all([late, behind])
  await turns.run(['a'], note('last'))
  expect(done).toEqual(['new', 'behind', 'removed a', 'last'])
})
