import { expect, it } from 'vitest'
import { sourcesOf } from '../../../../tools/house/sources.mjs'
import { optionNames } from './option-names.ts'

interface Sample {
  readonly one: number
  readonly other?: string | undefined
}

it('lists the names of a type in order', () => {
  expect(optionNames<Sample>({ one: true, other: true })).toEqual(['one', 'other'])
})

it('does not compile without a field of the type, or with one it does not have', () => {
  // @ts-expect-error -- `other` is not listed
  expect(optionNames<Sample>({ one: true })).toEqual(['one'])
  // @ts-expect-error -- `third` is no field
  expect(optionNames<Sample>({ one: true, other: true, third: true })).toHaveLength(3)
})

it('makes every list of option names', () => {
  const packages = ['core', 'local-store', 'redis-store', 'keyv-store', 'plugins', 'nest']
  const byHand = packages
    .flatMap((name) => sourcesOf(`packages/${name}/src`))
    .filter(({ text }) => /assertKnownOptions\(\w+, \[\s*'|NAMES(?:: [^=]*)? = \[\s*'/.test(text))
    .map(({ file }) => file)
  expect(byHand).toEqual([])
})
