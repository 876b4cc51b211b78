/**
 * Changes the engine's code in small ways, one at a time, and counts the changes that no test notices.
 *
 * The ablations ask of each mechanism whether it is tested; this asks it of each expression. `npm run mutation -- --help`
 * says how it is called, docs/design/proof.md what survives and why.
 */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

const ROOT = join(import.meta.dirname, '..', '..')
const SOURCES = 'packages/core/src'
const FOLDERS = ['cache', 'coherence']
/** What decides whether something may be served. */
const QUICK = [
  'cache/judge.ts',
  'cache/flight.ts',
  'coherence/partitions.ts',
  'coherence/recovery-queue.ts',
  'coherence/tag-clock.ts',
]
/** Whether what came of a mutant counts as noticed. What is not here was left out. */
const VERDICTS = { Killed: true, Timeout: true, Survived: false, NoCoverage: false }
/** Below this many per cent, a folder's tests are found wanting. */
const ENOUGH = 80

const HELP = `Mutates ${FOLDERS.map((folder) => `${SOURCES}/${folder}`).join(' and ')}, and runs the tests that need no Redis on each mutant.

  npm run mutation                                everything; takes long
  npm run mutation -- --quick                     the files that decide what may be served
  npm run mutation -- cache/judge.ts coherence    these files and folders of ${SOURCES}

  --quick        ${QUICK.join(', ')}
  --survivors    list the mutants that no test noticed
  --force        judge every mutant again. Otherwise results stand where neither the mutant's file nor the tests that
                 judged it have changed; changes of helpers and of other sources are not seen
  --jobs N       mutants judged at a time (default 2)
  --help         this text

Prints the score of each file and folder: the per cent of mutants that made a test fail. Exits with 1 when a folder that
was mutated as a whole has less than ${ENOUGH}. The survivors in their source: test/mutation/.results/mutation.html
`

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
})

async function main() {
  const { values, positionals } = argumentsGiven()
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  process.chdir(ROOT)
  const given = positionals.length > 0 ? positionals : values.quick ? QUICK : FOLDERS
  const wanted = given.map(pathOf)
  const stryker = new Stryker({
    configFile: 'test/mutation/stryker.config.mjs',
    mutate: [...wanted.map(patternOf), '!**/*.test.ts'],
    force: values.force,
    concurrency: numberOfJobs(values.jobs),
  })
  const all = await stryker.runMutationTest()
  // Results of other files, kept from earlier runs, come along.
  const mutants = all.filter(
    ({ fileName, status }) =>
      status in VERDICTS && wanted.some((path) => `/${fileName}/`.includes(`/${path}/`)),
  )
  if (values.survivors) printSurvivors(mutants)
  printScores(mutants, wanted)
}

function argumentsGiven() {
  return parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      survivors: { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  })
}

function numberOfJobs(text) {
  const jobs = Number(text)
  if (Number.isInteger(jobs) && jobs > 0) return jobs
  throw new TypeError(`--jobs must be a whole number from 1, got '${text}'`)
}

/** A file or folder as it was given, from the root or from the sources; returns it from the root. */
function pathOf(given) {
  const path = [given, join(SOURCES, given)].find(existsSync)
  if (path === undefined) throw new TypeError(`There is no ${given} here or in ${SOURCES}`)
  return relative(ROOT, resolve(path))
}

function patternOf(path) {
  return statSync(path).isDirectory() ? `${path}/**/*.ts` : path
}

function printSurvivors(mutants) {
  for (const { fileName, location, status, mutatorName, replacement } of mutants) {
    if (VERDICTS[status]) continue
    const { start, end } = location
    const lines = readFileSync(fileName, 'utf8')
      .split('\n')
      .slice(start.line - 1, end.line)
    lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1)
    lines[0] = lines[0].slice(start.column - 1)
    const place = `${nameOf(fileName)}:${start.line}:${start.column}`
    const was = shortened(lines.join('\n'))
    const note = status === 'NoCoverage' ? ', which no test reaches' : ''
    process.stdout.write(`${place}  ${mutatorName}${note}: ${was}  →  ${shortened(replacement)}\n`)
  }
  process.stdout.write('\n')
}

function shortened(code) {
  const line = code.replace(/\s+/g, ' ')
  return line.length > 100 ? `${line.slice(0, 100)}…` : line
}

/** Prints a line a file, and a line for each folder that was mutated as a whole, whose score has to be enough. */
function printScores(mutants, wanted) {
  const counts = new Map()
  for (const { fileName, status } of mutants) {
    const file = nameOf(fileName)
    const names = wanted.includes(`${SOURCES}/${dirname(file)}`) ? [dirname(file), file] : [file]
    for (const name of names) {
      const count = counts.get(name) ?? { noticed: 0, all: 0 }
      counts.set(name, count)
      count.all += 1
      if (VERDICTS[status]) count.noticed += 1
    }
  }
  for (const [name, { noticed, all }] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const score = (100 * noticed) / all
    const isWanting = score < ENOUGH && !name.endsWith('.ts')
    if (isWanting) process.exitCode = 1
    const complaint = isWanting ? `  ← expected ${ENOUGH} %` : ''
    const text = `${score.toFixed(1)} %`.padStart(8)
    process.stdout.write(`${text}  ${`${noticed} of ${all}`.padEnd(14)}  ${name}${complaint}\n`)
  }
}

/** A file's path in the sources. */
function nameOf(fileName) {
  return fileName.slice(fileName.indexOf(`${SOURCES}/`) + SOURCES.length + 1)
}
