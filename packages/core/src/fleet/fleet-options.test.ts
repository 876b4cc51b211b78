import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type FleetOptions, resolveFleetOptions } from './fleet-options.ts'

it('reports only when asked to', () => {
  expect(resolveFleetOptions(undefined, 'x')).toBeUndefined()
  expect(resolveFleetOptions(false, 'x')).toBeUndefined()
})

it('true is the default of everything', () => {
  const defaults = { name: null, host: hostname(), everyMs: 5_000 }
  expect(resolveFleetOptions(true, 'x')).toEqual(defaults)
  expect(resolveFleetOptions({}, 'x')).toEqual(defaults)
  expect(resolveFleetOptions({ name: undefined, host: undefined, every: undefined }, 'x')).toEqual(
    defaults,
  )
})

it('the machine need not be told', () => {
  expect(resolveFleetOptions({ host: false, name: 'api', every: '1m' }, 'x')).toEqual({
    name: 'api',
    host: null,
    everyMs: 60_000,
  })
})

it.each<[string, unknown, RegExp]>([
  ['a text', 'yes', /x takes true, false or an options object, but got "yes"/],
  ['null', null, /x takes an options object, but got null/],
  ['a list', [], /x takes an options object/],
  ['a misspelt option', { evry: '5s' }, /x\.evry is not a known option\. Did you mean every/],
  ['a period that is too short', { every: 999 }, /x\.every takes a duration.*from 1s to 1m/],
  ['a period that is too long', { every: '61s' }, /x\.every/],
  ['no duration', { every: 'often' }, /x\.every/],
  ['an empty name', { name: '' }, /x\.name/],
  ['a long name', { name: 'n'.repeat(65) }, /x\.name takes .* at most 64 characters/],
  ['a name that is none', { name: 7 }, /x\.name/],
  ['a host that is none', { host: 'machine' }, /x\.host takes true or false/],
])('refuses %s', (_, fleet, message) => {
  const resolve = (): unknown => resolveFleetOptions(fleet as FleetOptions, 'x')
  expect(resolve).toThrow(InvalidOptionError)
  expect(resolve).toThrow(message)
})
