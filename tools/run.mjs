/**
 * The entry of every root script: sets up what is missing, then runs the task.
 *
 * A machine needs Node and npm, nothing else: pnpm is fetched by npx at the version package.json pins, dependencies are
 * installed when the lockfile is newer than the last install.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const STAMP = join(ROOT, 'node_modules', '.larder-install')
const FROM_SOURCE = ['--conditions=larder-source', '--import', 'tsx']

const TASKS = {
  setup: () => {},
  demo: () => node('examples', 'catalogue/main.ts'),
  quickstart: () => node('examples', 'quickstart/main.ts'),
  test: (args) => {
    types()
    run('vitest', ['run', ...args])
  },
  types,
  lint: () => run('biome', ['check', '--error-on-warnings', '.']),
  scripts: () => node('packages/redis-store', 'tools/generate-scripts.ts', '--check'),
  build: () => run('tsc', ['-b', 'tsconfig.build.json']),
  packages: () => {
    run('tsc', ['-b', 'tsconfig.build.json'])
    for (const name of ['core', 'local-store', 'redis-store', 'plugins']) {
      run('publint', ['--strict', '--pack', 'npm', `packages/${name}`])
      run('attw', [
        '--pack',
        `packages/${name}`,
        '--profile',
        'esm-only',
        '--exclude-entrypoints',
        './package.json',
      ])
    }
  },
  bench: (args) => node('bench', 'main.ts', ...args),
}

function types() {
  for (const name of ['core', 'local-store', 'redis-store', 'plugins'])
    run('tsc', ['-p', `packages/${name}`])
  for (const folder of ['examples', 'test', 'bench']) run('tsc', ['-p', folder])
  for (const mode of ['standard', 'legacy']) run('tsc', ['-p', `test/types/tsconfig.${mode}.json`])
}

main(process.argv[2], process.argv.slice(3))

function main(task, args) {
  requireNode()
  const work = TASKS[task]
  if (work === undefined)
    fail(`There is no task ${task}; there are: ${Object.keys(TASKS).join(', ')}`)
  installIfStale()
  work(args)
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24
  if (!isSupported)
    fail(`Larder needs Node ^20.19, ^22.12 or >=24; this is ${process.versions.node}`)
}

function installIfStale() {
  const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'))
  const stamp = `${process.versions.modules} ${createHash('sha256').update(lock).digest('hex')}`
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  execute('npx', [
    '--yes',
    packageManager,
    'install',
    '--frozen-lockfile',
    '--config.confirmModulesPurge=false',
  ])
  writeFileSync(STAMP, stamp)
}

function node(folder, script, ...args) {
  execute(process.execPath, [...FROM_SOURCE, script, ...args], join(ROOT, folder))
}

function run(tool, args) {
  execute(join(ROOT, 'node_modules', '.bin', tool), args)
}

function execute(command, args, cwd = ROOT) {
  const { status, error, signal } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error !== undefined) fail(`${command} could not be started: ${error.message}`)
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 130))
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
