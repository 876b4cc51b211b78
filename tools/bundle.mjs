/**
 * The ES modules of the packages that every service loads when it starts: a file for each entry, and files for what entries
 * share. Hundreds of small files take longer to find, read and link than what is in them takes to run.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './execute.mjs'

/** Brought along: a CommonJS file costs an ES module more to load than all of the core does. */
const INLINED = ['reflect-metadata']

/** What is asked for by its file, besides what `exports` names. */
const MORE_ENTRIES = { 'redis-store': ['scripts.generated'] }

/** Writes `dist/**.js` anew; `dist/cjs` and the declarations are the compiler's. */
export async function bundle(name, manifest) {
  const folder = join(ROOT, 'packages', name)
  const entries = [...entriesOf(manifest), ...(MORE_ENTRIES[name] ?? [])]
  const { dependencies = {}, peerDependencies = {} } = manifest
  const external = Object.keys({ ...dependencies, ...peerDependencies })
    .filter((each) => !INLINED.includes(each))
    .flatMap((each) => [each, `${each}/*`])
  removeScripts(join(folder, 'dist'))
  // Not before: the first task of a fresh clone installs it.
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      entries.map((entry) => [entry, join(folder, 'src', `${entry}.ts`)]),
    ),
    outdir: join(folder, 'dist'),
    tsconfig: join(folder, 'tsconfig.build.json'),
    external,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    write: false,
    logLevel: 'warning',
  })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, path.endsWith('.js') ? withOwnNames(text) : text)
  }
}

/**
 * A class that refers to itself becomes `var Name = class _Name`, and users would see that name: in `constructor.name`, in what
 * is printed of an instance, in stack traces. esbuild's own `keepNames` would run code for each class and function at import.
 */
function withOwnNames(text) {
  const renamed = new Set(
    Array.from(text.matchAll(/^var (\w+) = class _\1 /gm), ([, name]) => name),
  )
  return text.replaceAll(/\b_([A-Z]\w+)\b/g, (found, name) => (renamed.has(name) ? name : found))
}

/** Entries as paths under `src`, without their ending. */
function entriesOf({ exports }) {
  return Object.values(exports).map(({ default: path }) =>
    path.slice('./dist/'.length, -'.js'.length),
  )
}

/** Also of an earlier build: a file that no entry leads to any more would be packed. */
function removeScripts(dist) {
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (/\.js(\.map)?$/.test(file) && !file.startsWith('cjs')) rmSync(join(dist, file))
}
