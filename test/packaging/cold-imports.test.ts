/** What an import of the packages that a service starts with loads at once, besides their own files and Node's. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { BUNDLED } from '../../tools/packages.mjs'

const PACKAGES = join(import.meta.dirname, '../../packages')
const LOADED: Readonly<Record<string, readonly string[]>> = {
  core: ['reflect-metadata'],
  'local-store': ['@larder/core', '@larder/core/store', 'lru-cache'],
  'redis-store': ['@larder/core', '@larder/core/store', 'msgpackr/pack'],
}

/** Imports and re-exports that remain when types are gone. */
const LOADING = /^(?:import|export) (?!type\b)(?:[^'"]*? from )?'([^']+)'/gm

it.each(BUNDLED)('%s loads what it needs from the start, and nothing that can wait', (name) => {
  const entry = join(PACKAGES, name, 'src', 'index.ts')
  const foreign = [...loadedBy(entry)].filter((target) => !/^\/|^node:/.test(target))
  expect(foreign.sort()).toEqual(LOADED[name])
})

function loadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(LOADING)) {
    if (target.startsWith('.')) loadedBy(join(dirname(file), target), seen)
    else seen.add(target)
  }
  return seen
}
