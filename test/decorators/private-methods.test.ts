/** Private methods: only standard decorators can reach them, so legacy mode has nothing to run here. */

import { Cacheable, CacheConfig, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

it('a private method can be cached with standard decorators', async () => {
  await using _caches = createCacheManager({ namespace: 'private', local: lruStore() })
  if (process.env['DECORATORS'] === 'legacy') {
    // TypeScript refuses decorators on #private names in this mode; the file would not compile.
    expect(process.env['DECORATORS']).toBe('legacy')
    return
  }
  const { makeVault } = await import('./support/vault.standard.ts')
  const vault = makeVault(Cacheable)

  expect(await vault.read('1')).toBe('secret 1')
  expect(await vault.read('1')).toBe('secret 1')
  expect(vault.opened).toBe(1)
})

it('private methods of one name belong to their own classes', async () => {
  if (process.env['DECORATORS'] === 'legacy') return
  const { makeDeepVault } = await import('./support/vault.standard.ts')
  const provider = new RecordingProvider()
  const vault = makeDeepVault(Cacheable, CacheConfig, () => provider)

  expect(await vault.open('1')).toBe('inner 1, outer 1, audit 1')
  expect(await vault.open('1')).toBe('inner 1, outer 1, audit 1')
  expect(provider.described.map(({ method }) => method)).toEqual([
    'InnerVault.#open',
    'InnerVault.#open^OuterVault',
    'OuterVault.static.#audit',
  ])
})
