/** The guides "Write a store" and "Write a plugin": what they show does what the contracts ask. */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCacheManager } from '@larder/core'
import type { LocalStore, Plugin } from '@larder/core/store'
import { localStoreCases, runCases } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { afterAll, describe, expect, it, test } from 'vitest'
import { blocksOf } from '../docs/pages.ts'

// Inside of this package, so that what the blocks import is found.
const folder = mkdtempSync(join(import.meta.dirname, 'steps-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Takes a function out of the block of a guide that declares it. */
async function shown<Type>(guide: string, name: string): Promise<Type> {
  const block = blocksOf(guide, 'ts').find((code) => code.includes(`function ${name}`)) ?? ''
  const program = block.replace(/^(const caches = )?createCacheManager\(.*/ms, '')
  const file = join(folder, `${name}.ts`)
  writeFileSync(file, `${program}\nexport { ${name} }\n`)
  const exported = (await import(file)) as Record<string, Type>
  return exported[name] as Type
}

describe('the local store of the guide', async () => {
  const newestStore = await shown<(maxEntries: number) => LocalStore>(
    'docs/guides/write-a-store.md',
    'newestStore',
  )
  const make = ({ maxEntries = 1_000 }: { readonly maxEntries?: number } = {}) =>
    newestStore(maxEntries)
  runCases(localStoreCases(make as Parameters<typeof localStoreCases>[0]), { test })
})

describe('the plugins of the guide', async () => {
  const GUIDE = 'docs/guides/write-a-plugin.md'
  const signing = await shown<(secret: Uint8Array) => Plugin>(GUIDE, 'signing')
  const survives = await shown<(plugin: Plugin) => Promise<boolean>>(GUIDE, 'survivesTheWay')
  const countFailures = await shown<
    (report: (failures: ReadonlyMap<string, number>) => void) => Plugin
  >(GUIDE, 'countFailures')

  it('signs, and reads what it signed', async () => {
    expect(await survives(signing(randomBytes(32)))).toBe(true)
  })

  it('counts the loads that fail', async () => {
    let reported: ReadonlyMap<string, number> = new Map()
    const caches = createCacheManager({
      namespace: 'test',
      local: lruStore(),
      plugins: [
        countFailures((failures) => {
          reported = failures
        }),
      ],
    })
    const failing = caches.cache('prices').getOrLoad('42', () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    await caches.close()
    expect([...reported]).toEqual([['prices', 1]])
  })
})
