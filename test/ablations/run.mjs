/**
 * Removes one mechanism after the other from a copy of the sources and shows that the tests turn red.
 *
 * `node test/ablations/run.mjs [part of a name]`. Needs an installed checkout and what the tests need.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ABLATIONS } from './ablations.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const wanted = process.argv[2] ?? ''
const copy = mkdtempSync(join(tmpdir(), 'larder-ablation-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))

copySources()
let failed = 0
for (const ablation of ABLATIONS.filter(({ name }) => name.includes(wanted))) {
  const isRed = turnsRed(ablation)
  const shouldBeRed = ablation.buys === undefined
  if (isRed !== shouldBeRed) failed += 1
  const verdict = isRed ? 'red' : 'green'
  const meaning = shouldBeRed ? `protects ${ablation.protects}` : 'buys latency only'
  const complaint = isRed === shouldBeRed ? '' : `  ← expected ${shouldBeRed ? 'red' : 'green'}`
  process.stdout.write(`${verdict.padEnd(6)} without: ${ablation.name} (${meaning})${complaint}\n`)
}
process.exitCode = failed === 0 ? 0 : 1

/** Dependencies are linked, not copied; links between the packages are relative and so lead into the copy. */
function copySources() {
  const isCopied = (path) => !['node_modules', '.git', 'dist'].includes(basename(path))
  cpSync(ROOT, copy, { recursive: true, filter: isCopied })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  for (const folder of ['core', 'local-store', 'redis-store', 'plugins'].map(
    (name) => `packages/${name}`,
  )) {
    copyLinks(folder)
  }
  for (const folder of ['test', 'examples', 'bench']) copyLinks(folder)
}

function copyLinks(folder) {
  cpSync(join(ROOT, folder, 'node_modules'), join(copy, folder, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  })
}

function turnsRed(ablation) {
  const edits = [ablation, ...(ablation.also ?? [])]
  const originals = new Map(edits.map(({ file }) => [file, readFileSync(join(copy, file), 'utf8')]))
  for (const { file, find, replace } of edits) {
    const text = readFileSync(join(copy, file), 'utf8')
    if (!text.includes(find)) throw new Error(`${ablation.name}: ${file} no longer has: ${find}`)
    writeFileSync(join(copy, file), text.replaceAll(find, replace))
  }
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'redis', '--bail', '1', ablation.tests],
    { cwd: copy, stdio: 'ignore' },
  )
  for (const [file, text] of originals) writeFileSync(join(copy, file), text)
  return status !== 0
}
