/**
 * Runs the public suites of express-session and @fastify/session against Larder's stores: `npm run suites:sessions`.
 *
 * The suites are in no package, so they are brought by git, at a commit that is named in `checkouts.ts`. Cases that cannot pass are
 * listed in `excused.ts`, each with its reason; any other that fails, any of these that passes, and any that `held-by.ts` has no test
 * of ours for, ends the run with an error. With `--if-reachable`, a suite that cannot be brought is left out, and that is said loudly.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../../support/redis/redis-server.ts'
import { type Suite, suiteFolder, Unreachable } from './checkouts.ts'
import { EXCUSED } from './excused.ts'
import { isHeld } from './held-by.ts'
import { type CaseResult, casesOfMocha, casesOfTap, verdictOf } from './results.ts'

const HERE = import.meta.dirname
const require = createRequire(import.meta.url)

/** Where sessions are kept, and who makes the ids. */
interface Setting {
  readonly store: 'redis' | 'in-process'
  readonly ids: 'own' | 'foreign'
}

const SETTINGS: readonly Setting[] = [
  { store: 'in-process', ids: 'own' },
  { store: 'redis', ids: 'own' },
  { store: 'redis', ids: 'foreign' },
]

const { values: given } = parseArgs({
  options: {
    express: { type: 'string' },
    fastify: { type: 'string' },
    'if-reachable': { type: 'boolean' },
  },
})
const work = mkdtempSync(join(tmpdir(), 'larder-suites-'))
const missing: string[] = []
const folders = new Map([['express', bring('express')] as const, ['fastify', bring('fastify')]])
const redis = await startRedis()
let isFine = missing.length === 0 || given['if-reachable'] === true
try {
  symlinkSync(join(HERE, 'node_modules'), join(work, 'node_modules'))
  const express = folders.get('express')
  if (express !== undefined) runAll('express', () => prepareExpress(express), runExpress)
  const fastify = folders.get('fastify')
  if (fastify !== undefined) runAll('fastify', () => prepareFastify(fastify), runFastify)
} finally {
  await redis.stop()
  rmSync(work, { recursive: true, force: true })
}
for (const line of missing) console.error(line)
process.exitCode = isFine ? 0 : 1

function bring(suite: Suite): string | undefined {
  try {
    return suiteFolder(suite, { folder: given[suite] })
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    missing.push(`!! NOT RUN: the suite of ${suite}. ${error.message}`)
    return undefined
  }
}

function runAll(
  suite: Suite,
  prepare: () => void,
  runIn: (setting: Setting) => readonly CaseResult[],
): void {
  prepare()
  for (const setting of SETTINGS) {
    if (suite === 'express' || setting.ids === 'own') report(suite, setting, runIn(setting))
  }
}

/** The tests, with our stand-in where they look for the package, and the installed package's parts. */
function prepareExpress(from: string): void {
  const to = join(work, 'express')
  cpSync(join(from, 'test'), join(to, 'test'), { recursive: true })
  cpSync(join(HERE, 'shims', 'express.cjs'), join(to, 'index.js'))
  symlinkSync(join(dirname(require.resolve('express-session')), 'session'), join(to, 'session'))
  mkdirSync(join(to, 'test', 'fixtures'), { recursive: true })
  spawnSync('sh', ['test/support/gencert.sh'], { cwd: to, stdio: 'ignore' })
}

/** The tests and the installed package, with our stand-in where it has its store in memory. */
function prepareFastify(from: string): void {
  const to = join(work, 'fastify')
  const installed = dirname(require.resolve('@fastify/session'))
  cpSync(join(from, 'test'), join(to, 'test'), { recursive: true })
  cpSync(join(installed, 'index.js'), join(to, 'index.js'))
  cpSync(join(installed, 'lib'), join(to, 'lib'), { recursive: true, dereference: true })
  const standIn = join(HERE, 'shims', 'fastify-store.cjs')
  for (const at of ['lib/store.js', 'test/TestStore.js']) cpSync(standIn, join(to, at))
}

function runExpress(setting: Setting): readonly CaseResult[] {
  const mocha = join(HERE, 'node_modules', 'mocha', 'bin', '_mocha')
  const env = ['--require', './test/support/env']
  const output = run('express', setting, [
    mocha,
    ...env,
    '--exit',
    // Its own is two seconds, which a busy machine needs for itself.
    ...['--timeout', '60000'],
    ...['--reporter', 'json'],
    'test/session.js',
  ])
  return casesOfMocha(output)
}

function runFastify(setting: Setting): readonly CaseResult[] {
  const output = run('fastify', setting, [
    '--test',
    '--test-force-exit',
    '--test-reporter=tap',
    'test/*.test.js',
  ])
  return casesOfTap(output)
}

function run(suite: Suite, { store, ids }: Setting, args: readonly string[]): string {
  const { NODE_OPTIONS: _, ...env } = process.env
  const files = args.flatMap((arg) => (arg.includes('*') ? testsIn(join(work, suite)) : [arg]))
  const tsx = require.resolve('tsx')
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    ['--conditions', 'larder-source', '--import', tsx, ...files],
    {
      cwd: join(work, suite),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      timeout: 300_000,
      env: {
        ...env,
        SUITE_STORES: join(HERE, 'stores.ts'),
        SUITE_IDS: ids,
        ...(store === 'redis' ? { SUITE_REDIS: redis.url } : {}),
      },
    },
  )
  if (error !== undefined) throw error
  if (stdout === '') throw new Error(`The suite of ${suite} said nothing: ${stderr}`)
  return stdout
}

function testsIn(folder: string): readonly string[] {
  const names = execFileSync('ls', [join(folder, 'test')], { encoding: 'utf8' }).split('\n')
  return names.filter((name) => name.endsWith('.test.js')).map((name) => `test/${name}`)
}

function report(suite: Suite, { store, ids }: Setting, results: readonly CaseResult[]): void {
  const verdict = verdictOf(results, EXCUSED[suite])
  const { passed, excused, unexpected } = verdict
  const title = `${suite} (${store}, ${ids} ids)`
  console.log(`${title}: ${results.length} cases, ${passed} passed, ${excused} excused`)
  const unheld = results.filter(({ name }) => !isHeld(suite, name))
  for (const line of unexpected) console.log(`  ${line}`)
  for (const { name } of unheld) console.log(`  no test of ours is named for: ${name}`)
  if (unexpected.length > 0 || unheld.length > 0 || results.length === 0) isFine = false
}
