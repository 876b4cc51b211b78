import type { CodecStepContext } from '@larder/core/store'
import { expect, it } from 'vitest'
import { associatedDataOf } from './associated-data.ts'

const ENTRY: CodecStepContext = {
  namespace: 'shop',
  cache: 'c',
  key: 'c:k',
  flags: 0,
  commit: 2 ** 48 - 1,
  birth: 7,
  schema: 2 ** 32 - 1,
  tags: ['a', 'b'],
  stepsBefore: [2],
  maxBytes: 1,
}
const IDS = { format: 1, step: 8 }
const of = (more: Partial<CodecStepContext>): string =>
  associatedDataOf({ ...ENTRY, ...more }, IDS).toString('hex')

it('is another for every part that is another', () => {
  const others: readonly Partial<CodecStepContext>[] = [
    {},
    { namespace: 'shop2' },
    { cache: 'd' },
    { key: 'c:l' },
    { flags: 1 },
    { flags: 2 },
    { flags: 64 },
    { commit: 1 },
    { birth: 8 },
    { birth: 7.25 },
    { schema: 0 },
    { tags: [] },
    { tags: ['a'] },
    { tags: ['b', 'a'] },
    { stepsBefore: [] },
    { stepsBefore: [2, 3] },
    { stepsBefore: [3] },
  ]
  const all = [
    ...others.map(of),
    associatedDataOf(ENTRY, { ...IDS, step: 9 }).toString('hex'),
    associatedDataOf(ENTRY, { ...IDS, format: 2 }).toString('hex'),
  ]
  expect(new Set(all).size).toBe(all.length)
})

it('does not depend on where one text ends and the next begins', () => {
  const splits = [
    { namespace: 'sh', cache: 'opc' },
    { cache: 'cc', key: ':k' },
    { tags: ['ab'] },
    { tags: ['', 'ab'] },
    { tags: ['a', 'b', ''] },
    { key: 'c:k\0\0\0\0', tags: [] },
  ]
  const all = [{}, ...splits].map(of)
  expect(new Set(all).size).toBe(all.length)
})

it('leaves out what is no part of the entry', () => {
  expect(of({ maxBytes: 99 })).toBe(of({}))
})
