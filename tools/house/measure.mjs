/** The house's numbers: how long its files are, and which imports run in a circle or up. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../execute.mjs'
import { PACKAGES } from '../packages.mjs'
import { FLOORS, MOST_LINES } from './floors.mjs'
import { cyclesOf, neighboursOf, sourcesOf } from './sources.mjs'

const CORE = 'packages/core/src/'

/** What is published and not made for tests, package by package; and what supports tests, published or not. */
export function measure() {
  const packages = PACKAGES.map((name) => ({ name, sources: sourcesOf(`packages/${name}/src`) }))
  const all = packages.flatMap(({ sources }) => sources)
  const product = all.filter(isProduct)
  const support = supportOf(all)
  const held = [...product, ...support.flatMap(({ sources }) => sources)]
  return {
    packages: packages.map(({ name, sources }) => ({
      name,
      ...lengthsOf(sources.filter(isProduct)),
    })),
    whole: lengthsOf(product),
    support: support.map(({ name, sources }) => ({ name, ...lengthsOf(sources) })),
    long: held
      .map(({ file, text }) => ({ file, lines: linesOf(text) }))
      .filter(({ lines }) => lines > MOST_LINES)
      .sort((a, b) => b.lines - a.lines),
    cycles: cyclesOf(all),
    upward: upwardImports(all.filter(({ file }) => file.startsWith(CORE))),
  }
}

/** Imports of core that lead to a higher floor, as `folder/file.ts → folder/file.ts`. */
export function upwardImports(sources) {
  return sources.flatMap((source) => {
    const from = source.file.slice(CORE.length)
    return neighboursOf(source)
      .map((target) => target.slice(CORE.length))
      .filter((target) => floorOf(target) > floorOf(from))
      .map((target) => `${from} → ${target}`)
  })
}

/** @throws Error for a folder that the plan does not name */
function floorOf(file) {
  const floor = FLOORS.indexOf(file.split('/')[0])
  if (floor < 0)
    throw new Error(`${file} is on no floor: name its folder in tools/house/floors.mjs`)
  return floor
}

/** Core's conformance suites and the rest of its test kit, and what the tests of this repository share. */
function supportOf(all) {
  const kit = all.filter((source) => !isProduct(source))
  const isConformance = ({ file }) => file.startsWith(`${CORE}testing/conformance/`)
  return [
    { name: 'conformance', sources: kit.filter(isConformance) },
    { name: 'test kit', sources: kit.filter((source) => !isConformance(source)) },
    { name: 'test support', sources: supportFolders().flatMap(sourcesOf) },
  ]
}

/** Not the whole of `test`: while tests run, files come and go there. */
function supportFolders() {
  const parts = readdirSync(join(ROOT, 'test')).map((part) => `test/${part}/support`)
  return ['test/support', ...parts].filter((folder) => existsSync(join(ROOT, folder)))
}

function isProduct({ file }) {
  return !file.startsWith(`${CORE}testing/`)
}

function lengthsOf(sources) {
  const lengths = sources.map(({ text }) => linesOf(text)).sort((a, b) => a - b)
  const at = (share) => lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))]
  return {
    files: lengths.length,
    lines: lengths.reduce((sum, lines) => sum + lines, 0),
    median: at(0.5),
    p90: at(0.9),
    longest: lengths.at(-1),
  }
}

/** As `wc -l` counts. */
function linesOf(text) {
  return text.split('\n').length - 1
}
