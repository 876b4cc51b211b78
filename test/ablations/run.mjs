/**
 * Removes one mechanism after the other from a copy of the sources and shows that the tests turn red.
 *
 * `npm run ablations -- --help` says how it is called, docs/design/coherence.md what each mechanism is for.
 */

import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ABLATIONS } from './ablations.mjs'
import { applyEdit, editsOf } from './edits.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const WORKSPACES = [
  ...['core', 'local-store', 'redis-store', 'keyv-store', 'cli', 'plugins', 'nest'].map(
    (name) => `packages/${name}`,
  ),
  ...['test', 'examples', 'bench'],
]
const ENGINE = 'packages/core/src/'

const HELP = `Removes one mechanism of the protocol after the other from a copy of the sources, and runs what must notice.

  npm run ablations [-- part of a name] [options]

  --seeds N      how many seeds the simulation runs without the mechanism (default 300); 0 leaves it out
  --help         this text

Prints a line each: what the tests became that are there for it, and what the simulation did. Exits with 1 when tests stay
green that must not, or the other way round. What those tests say of the sources as they are is checked first.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '300' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main(positionals[0] ?? '', values.seeds)

async function main(wanted, seeds) {
  const ablations = ABLATIONS.filter(({ name }) => name.includes(wanted))
  if (ablations.length === 0) throw new Error(`No ablation has a name with '${wanted}' in it`)
  const copy = mkdtempSync(join(tmpdir(), 'larder-ablation-'))
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
  copySources(copy)
  const tests = [...new Set(ablations.flatMap((ablation) => ablation.tests))]
  if (await turnsRed(copy, tests)) throw new Error(`These are red already: ${tests.join(' ')}`)
  let failed = 0
  for (const ablation of ablations) {
    const restore = edit(copy, ablation)
    const [isRed, seed] = await Promise.all([
      turnsRed(copy, ablation.tests),
      ablation.file.startsWith(ENGINE) && seeds !== '0' ? failingSeed(copy, seeds) : 'not asked',
    ])
    restore()
    if (!report(ablation, isRed, seed)) failed += 1
  }
  process.exitCode = failed === 0 ? 0 : 1
}

/** Prints a line; returns whether it says what it should. The simulation may miss a mechanism, but not call one needless needed. */
function report({ name, protects, buys }, isRed, seed) {
  const shouldBeRed = buys === undefined
  const isAsExpected = isRed === shouldBeRed && (shouldBeRed || !seed.startsWith('fails'))
  const verdict = isRed ? 'red' : 'green'
  const meaning = shouldBeRed ? `protects ${protects}` : 'buys latency only'
  const complaint = isAsExpected ? '' : `  ← expected ${shouldBeRed ? 'red' : 'green'}`
  const line = `${verdict.padEnd(6)} without: ${name} (${meaning}); simulation: ${seed}${complaint}`
  process.stdout.write(`${line}\n`)
  return isAsExpected
}

/** Dependencies are linked, not copied; links between the packages are relative and so lead into the copy. */
function copySources(copy) {
  const isCopied = (path) => !['node_modules', '.git', 'dist'].includes(basename(path))
  cpSync(ROOT, copy, { recursive: true, filter: isCopied })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  for (const folder of WORKSPACES) {
    cpSync(join(ROOT, folder, 'node_modules'), join(copy, folder, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    })
  }
}

/** Takes a mechanism out; returns what puts it back. */
function edit(copy, ablation) {
  const edits = editsOf(ablation)
  const originals = new Map(edits.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]))
  for (const change of edits) {
    const path = join(copy, change.file)
    writeFileSync(path, applyEdit(ablation.name, change, readFileSync(path, 'utf8')))
  }
  return () => {
    for (const [file, text] of originals) writeFileSync(join(copy, file), text)
  }
}

async function turnsRed(copy, tests) {
  const vitest = 'node_modules/vitest/vitest.mjs'
  const { status } = await run(copy, [vitest, 'run', '--bail', '1', ...[tests].flat()])
  return status !== 0
}

/** What the simulation says, in a few words. */
async function failingSeed(copy, seeds) {
  const { status, output } = await run(copy, ['test/simulation/run.mjs', '--seeds', seeds])
  if (status === 0) return `${seeds} seeds notice nothing`
  const seed = /Seed (\d+) fails/.exec(output)?.[1]
  return seed === undefined ? 'did not run' : `fails at seed ${seed}`
}

function run(cwd, args) {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, output }))
  })
}
