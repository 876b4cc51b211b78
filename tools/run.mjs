/**
 * The entry of every root script: sets up what is missing, writes what is generated, then runs the task.
 *
 * A machine needs Node and npm, nothing else: pnpm is fetched by npx at the version package.json pins, dependencies are
 * installed when the lockfile differs from that of the last install.
 */

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeScripts } from '../packages/redis-store/tools/generate-scripts.mjs'
import { checkPackages } from './check-packages.mjs'
import { execute, fail, node, pnpm, ROOT, tool } from './execute.mjs'
import { printHouse } from './house/report.mjs'
import { build, PACKAGES } from './packages.mjs'
import { writeReference } from './reference/write.mjs'

const STAMP = join(ROOT, 'node_modules', '.larder-install')

const TASKS = {
  setup: () => {},
  demo: () => node('examples', 'catalogue/main.ts'),
  quickstart: () => node('examples', 'quickstart/main.ts'),
  encryption: () => node('examples', 'encryption/main.ts'),
  tracing: () => node('examples', 'tracing/main.ts'),
  'custom-store': () => node('examples', 'custom-store/main.ts'),
  example: ([name]) => node('examples', `${name}/main.ts`),
  nest: () => node('examples/nest', 'main.ts'),
  test: async (args) => {
    await types()
    await tool('vitest', ['run', ...args])
  },
  // Before each push: under a minute. What takes longer (Redis, simulation, packages) is `test` and CI.
  check: async (args) => {
    await lint()
    await types()
    await tool('vitest', ['run', '--project', 'unit', 'packages', ...args])
  },
  unit: (args) => tool('vitest', ['run', '--project', 'unit', ...args]),
  types,
  lint,
  format: () => tool('biome', ['check', '--write', '.']),
  house: async () => {
    printHouse()
    await node('test', 'house/walk.ts')
  },
  // What each task does before it begins.
  generate: () => {},
  // The pages of docs/reference that are made from the code; a test says when they are out of step.
  reference: writeReference,
  scripts: checkScripts,
  build,
  packages: checkPackages,
  matrix: async (args) => {
    await build()
    await node('test', 'matrix/main.ts', ...args)
  },
  // On what is published: the loader that runs sources directly adds calls of its own to every closure.
  bench: (args) => onBuilt('main.ts', args),
  duel: (args) => onBuilt('duel/main.ts', args),
  'hit-ratio': (args) => onBuilt('hit-ratio/main.ts', args),
  fleet: (args) => onBuilt('fleet/main.ts', args),
  // The public suites of session frameworks, which it brings; with --if-reachable, where it can.
  'suites:sessions': (args) => node('test/sessions/suites', 'main.ts', ...args),
  simulate: (args) =>
    execute(process.execPath, ['test/simulation/run.mjs', ...args], { cwd: ROOT }),
  // Random tests, each with a fresh seed that a failure prints; SEED=N replays one.
  fuzz: (args) =>
    tool('vitest', ['run', '--project', 'redis', 'test/fuzz', 'test/properties', ...args]),
  soak: (args) => execute(process.execPath, ['test/soak/run.mjs', ...args], { cwd: ROOT }),
  ablations: (args) =>
    execute(process.execPath, ['test/ablations/run.mjs', ...args], { cwd: ROOT }),
  mutation: (args) => execute(process.execPath, ['test/mutation/run.mjs', ...args], { cwd: ROOT }),
  // Through pnpm, so that changesets finds the one that is pinned: it resolves `workspace:` when it publishes.
  'release:version': () => pnpm(['exec', 'changeset', 'version']),
  'release:publish': async () => {
    await checkPackages()
    await pnpm(['exec', 'changeset', 'publish'])
  },
}

await main(process.argv[2], process.argv.slice(3))

async function main(task, args) {
  requireNode()
  const work = Object.hasOwn(TASKS, task ?? '') ? TASKS[task] : undefined
  if (work === undefined)
    fail(`There is no task ${task}; there are: ${Object.keys(TASKS).join(', ')}`)
  await installIfStale()
  writeScripts()
  await work(args)
}

async function onBuilt(file, args) {
  await build()
  await execute(process.execPath, ['--import', 'tsx', file, ...args], { cwd: join(ROOT, 'bench') })
}

function lint() {
  return tool('biome', ['check', '--error-on-warnings', '.'])
}

function checkScripts() {
  return tool('vitest', [
    ...['run', '--project', 'unit'],
    'packages/redis-store/src/scripts.generated.test.ts',
  ])
}

async function types() {
  for (const name of PACKAGES) await tool('tsc', ['-p', `packages/${name}`])
  for (const folder of ['examples', 'examples/nest', 'test', 'test/nest', 'bench'])
    await tool('tsc', ['-p', folder])
  for (const mode of ['standard', 'legacy'])
    await tool('tsc', ['-p', `test/types/tsconfig.${mode}.json`])
  await tool('tsc', ['-p', 'test/types/tsconfig.ioredis5.json'])
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24
  if (!isSupported)
    fail(`Larder needs Node ^20.19, ^22.12 or >=24; this is ${process.versions.node}`)
}

async function installIfStale() {
  const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'))
  const stamp = `${process.versions.modules} ${createHash('sha256').update(lock).digest('hex')}`
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return
  // Even where NODE_ENV is production: everything that runs here is a dev-dependency.
  await pnpm(['install', '--frozen-lockfile', '--prod=false', '--config.confirmModulesPurge=false'])
  writeFileSync(STAMP, stamp)
}
