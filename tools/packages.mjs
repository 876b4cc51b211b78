/** The published packages: which there are, how they are built, and how they are packed. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.mjs'
import { pnpm, ROOT, tool } from './execute.mjs'

/** Folders under `packages`, each after those it depends on. */
export const PACKAGES = [
  'core',
  'local-store',
  'redis-store',
  'keyv-store',
  'cli',
  'plugins',
  'nest',
]

/** Those whose ES modules are bundled. The others are published as the compiler writes them, file by file. */
export const BUNDLED = ['core', 'local-store', 'redis-store']

/** Builds both module formats, of what has changed since the last time. */
export async function build() {
  await tool('tsc', ['-b', 'tsconfig.build.json'])
  for (const name of BUNDLED) await bundle(name, manifestOf(name))
  for (const name of PACKAGES) {
    // The package says that its files are ES modules; these are not.
    const marker = join(ROOT, 'packages', name, 'dist', 'cjs', 'package.json')
    writeFileSync(marker, '{ "type": "commonjs" }\n')
  }
}

/**
 * Packs what is built, with what `catalog:` and `workspace:` stand for put in.
 *
 * @returns paths of the tarballs, by package folder
 */
export async function pack(folder) {
  mkdirSync(folder, { recursive: true })
  const filters = PACKAGES.flatMap((name) => ['--filter', `./packages/${name}`])
  await pnpm([...filters, '--recursive', 'pack', '--pack-destination', folder], {
    stdout: 'ignore',
  })
  const files = readdirSync(folder)
  return Object.fromEntries(
    PACKAGES.map((name) => {
      const { version } = manifestOf(name)
      const file = `larder-${name}-${version}.tgz`
      if (!files.includes(file)) throw new Error(`pnpm made no ${file}`)
      return [name, join(folder, file)]
    }),
  )
}

export function manifestOf(name) {
  return JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'))
}
