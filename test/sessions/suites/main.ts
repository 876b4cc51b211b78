/**
 * Runs the public suites of express-session and @fastify/session against Larder's stores: `npm run suites:sessions`.
 *
 * The suites are not in packages, so they are checked out into a temporary folder, at a commit that is named here. Where there is no
 * network, give the folders of checkouts: `npm run suites:sessions -- --express DIR --fastify DIR`. Cases that cannot pass are listed
 * in `excused.ts`, each with its reason; any other that fails, and any of these that passes, ends the run with an error.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../../support/redis/redis-server.ts'
import { EXCUSED } from './excused.ts'
import { type CaseResult, casesOfMocha, casesOfTap, verdictOf } from './results.ts'

const HERE = import.meta.dirname
const require = createRequire(import.meta.url)
const SOURCES = {
  express: {
    url: 'https://github.com/expressjs/session',
    commit: '2c9512fb790e4bf80b3b62305eb8078028607785',
  },
  fastify: {
    url: 'https://github.com/fastify/session',
    commit: '4f7c3f28f267ad6e1f1a2ace5df89101b5ddb08c',
  },
} as const
type Suite = keyof typeof SOURCES

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

class NoCheckout extends Error {}

const { values: given } = parseArgs({
  options: { express: { type: 'string' }, fastify: { type: 'string' } },
})
const work = mkdtempSync(join(tmpdir(), 'larder-suites-'))
const redis = await startRedis()
let isFine = true
try {
  symlinkSync(join(HERE, 'node_modules'), join(work, 'node_modules'))
  prepareExpress(checkout('express'))
  prepareFastify(checkout('fastify'))
  for (const setting of SETTINGS) {
    report('express', setting, runExpress(setting))
    if (setting.ids === 'own') report('fastify', setting, runFastify(setting))
  }
} catch (error) {
  if (!(error instanceof NoCheckout)) throw error
  console.error(error.message)
  isFine = false
} finally {
  await redis.stop()
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = isFine ? 0 : 1

/** The folder of a suite: the one that was given, or a fresh checkout. */
function checkout(suite: Suite): string {
  const folder = given[suite]
  if (folder !== undefined) return folder
  const { url, commit } = SOURCES[suite]
  const to = join(work, 'checkout', suite)
  mkdirSync(to, { recursive: true })
  const git = (...args: string[]) => execFileSync('git', ['-C', to, ...args], { stdio: 'pipe' })
  try {
    git('init', '-q')
    git('fetch', '-q', '--depth', '1', url, commit)
    git('checkout', '-q', 'FETCH_HEAD')
  } catch (error) {
    const said = String((error as { readonly stderr?: unknown }).stderr ?? error).trim()
    throw new NoCheckout(
      `No checkout of ${url} (${said}): give the folder of one by --${suite} DIR`,
    )
  }
  return to
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
    '--reporter',
    'json',
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
  for (const line of unexpected) console.log(`  ${line}`)
  if (unexpected.length > 0 || results.length === 0) isFine = false
}
