/**
 * Packs the packages, installs the tarballs into projects outside of the repository, and builds and runs those with the
 * compilers and test runners that users have.
 *
 * `npm run matrix` runs every row, `-- --core` those that CI runs with every change, `-- jest nest` those with a name like it.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pack } from '../../tools/packages.mjs'
import { findSharedRedis } from '../support/redis/find-redis.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { ROWS, type Row } from './rows.ts'
import { CommandError, run } from './run.ts'
import { installPackages, installTools } from './tools.ts'

const SOURCES = join(import.meta.dirname, 'project')
const IOREDIS = 'ioredis@6'
/** A row mostly waits for one process of its own. */
const AT_ONCE = 2

/** Folders to be deleted in the end. */
const used: string[] = []

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  const rows = chosen(args).filter(runsHere)
  const folder = mkdtempSync(join(tmpdir(), 'larder-matrix-'))
  used.push(folder)
  process.on('exit', () => {
    for (const each of used) rmSync(each, { recursive: true, force: true })
  })
  const packages = join(folder, 'packages')
  const packed = pack(join(folder, 'tarballs')).then((tarballs) => Object.values(tarballs))
  const installed = packed.then((tarballs) => installPackages(packages, [...tarballs, IOREDIS]))
  const tools = rows.map((row) => installTools(row.tools))
  if (!(await isInstalled(Promise.all([installed, ...tools])))) return

  const redis = await openRedis()
  const failed: string[] = []
  const waiting = [...rows]
  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const parts = { packages, tarballs: await packed, env: redis.env }
      if (!(await passes(row, parts))) failed.push(row.name)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  } finally {
    await redis.stop()
  }
  process.stdout.write(`\n${rows.length - failed.length} passed, ${failed.length} failed\n`)
  if (failed.length > 0) process.exitCode = 1
}

function chosen(args: readonly string[]): readonly Row[] {
  const isCore = args.includes('--core')
  const words = args.filter((arg) => arg !== '--core').map((word) => word.toLowerCase())
  const rows = ROWS.filter(
    (row) =>
      (!isCore || row.isCore === true) &&
      (words.length === 0 || words.some((word) => row.name.toLowerCase().includes(word))),
  )
  if (rows.length > 0) return rows
  process.stderr.write(`There are these rows:\n${ROWS.map(({ name }) => `  ${name}\n`).join('')}`)
  process.exit(1)
}

/** Says aloud what is left out. */
function runsHere({ name, needsNode }: Row): boolean {
  const [major = 0, minor = 0] = versionOf(process.versions.node)
  const [neededMajor = 0, neededMinor = 0] = versionOf(needsNode ?? '0.0')
  const runs = major > neededMajor || (major === neededMajor && minor >= neededMinor)
  if (!runs) process.stdout.write(`skip  ${name}: its tools need Node.js ${needsNode}\n`)
  return runs
}

function versionOf(text: string): readonly number[] {
  return text.split('.').map(Number)
}

/** Without a registry there is nothing to try: a failure in CI, and said aloud elsewhere. */
async function isInstalled(installation: Promise<unknown>): Promise<boolean> {
  try {
    await installation
    return true
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const isOffline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED/.test(
      error.message,
    )
    process.stderr.write(`${error.message}\n`)
    if (isOffline && process.env['CI'] === undefined) {
      process.stderr.write('SKIPPED: npm reaches no registry, so there is nothing to build with.\n')
    } else process.exitCode = 1
    return false
  }
}

interface Parts {
  /** Where the packed packages are installed. */
  readonly packages: string
  readonly tarballs: readonly string[]
  readonly env: Record<string, string>
}

async function passes(row: Row, { packages, tarballs, env }: Parts): Promise<boolean> {
  const startedAt = performance.now()
  const say = (word: string): void => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    process.stdout.write(`${word}  ${row.name} (${seconds} s)\n`)
  }
  try {
    const tools = await installTools(row.tools)
    // Below the tools, so that they are found from there, with packages of its own.
    const folder = mkdtempSync(join(tools, 'project-'))
    used.push(folder)
    cpSync(join(packages, 'node_modules'), join(folder, 'node_modules'), { recursive: true })
    layDown(row, folder)
    for (const { line, env: own, prints, byNpx = false } of row.commands) {
      const how = { cwd: byNpx ? emptyFolder() : folder, env: { ...env, ...own } }
      const output = byNpx
        ? await run(
            'npx',
            ['--yes', ...tarballs.flatMap((path) => ['--package', path]), ...line],
            how,
          )
        : await run(programOf(line, { folder, tools }), line.slice(1), how)
      if (prints !== undefined && !output.includes(prints)) {
        throw new CommandError(`${line.join(' ')} did not print '${prints}':\n${output}`)
      }
    }
    say('ok  ')
    return true
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    say('FAIL')
    process.stdout.write(`${error.message.replace(/^/gm, '    ')}\n`)
    return false
  }
}

/** A program of the project, else of its tools. */
function programOf(
  [program = '']: readonly string[],
  { folder, tools }: { readonly folder: string; readonly tools: string },
): string {
  if (program === 'node') return process.execPath
  const own = join(folder, 'node_modules', '.bin', program)
  return existsSync(own) ? own : join(tools, 'node_modules', '.bin', program)
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'larder-empty-'))
  used.push(folder)
  return folder
}

function layDown(row: Row, folder: string): void {
  const lay = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  for (const [name, text] of Object.entries(row.files)) lay(name, text)
  for (const [source, name] of Object.entries(row.sources)) {
    let text = readFileSync(join(SOURCES, source), 'utf8')
    if (row.extensions === 'none') text = text.replace(/from '(\.\/[^']+)\.js'/g, "from '$1'")
    if (row.runner !== undefined) {
      text = text.replace("vi as runner } from 'vitest'", `jest as runner } from '${row.runner}'`)
    }
    lay(name, text)
  }
}

interface OpenRedis {
  readonly env: Record<string, string>
  readonly stop: () => Promise<void>
}

async function openRedis(): Promise<OpenRedis> {
  const source = await findSharedRedis()
  if (source.kind === 'url') return { env: { REDIS_URL: source.url }, stop: async () => {} }
  const server = await startRedis()
  return { env: { REDIS_URL: server.url }, stop: () => server.stop() }
}
