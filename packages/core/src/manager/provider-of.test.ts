import { describe, expect, it } from 'vitest'
import { PROVIDER_KINDS } from '../options/providers.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** Stores and providers are only handed on, so any object with a name will do. */
const optionsOf = (options: object): ResolvedManagerOptions => options as ResolvedManagerOptions

describe.each(PROVIDER_KINDS)('the provider of %s', (kind) => {
  const [given, shared, own] = ['given', 'shared', 'own'].map((name) => ({ name }))
  const local = { [kind]: own }
  const remote = { [kind]: shared }

  it.each<[string, object, object | undefined]>([
    ['is the one given', { [kind]: given, remote, local }, given],
    ['is else that of the shared store', { remote, local }, shared],
    ['is that of the local store where nothing is shared', { local }, own],
  ])('%s', (_, options, expected) => {
    expect(providerOf(kind, optionsOf(options))).toBe(expected)
  })

  it('is not quietly that of the local store where the shared store has none', () => {
    expect(() => providerOf(kind, optionsOf({ remote: {}, local }))).toThrow(
      new RegExp(`createCacheManager\\.${kind}.* provider, because the stores given have none`),
    )
  })
})
