/** The guide "Getting started": its files, compiled and run as they stand, with two processes on a real Redis. */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { blocksOf, ROOT } from '../docs/pages.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { sharedRedisUrl } from '../support/redis/shared-redis.ts'

const GUIDE = 'docs/guides/getting-started.md'
const FROM_SOURCE = ['--conditions=larder-source', '--import', 'tsx']

// Inside of this package, so that what the files import is found.
const folder = mkdtempSync(join(import.meta.dirname, 'steps-'))
const children: ChildProcess[] = []

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Files by name; a file that the guide changes has several versions. */
function filesOf(language: string): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>()
  for (const block of blocksOf(GUIDE, language)) {
    const [, name = '', code = ''] = /^\/\/ (\S+)\n(.*)$/s.exec(block) ?? []
    expect(name, `the first line of a block names its file:\n${block}`).not.toBe('')
    files.set(name, [...(files.get(name) ?? []), code])
  }
  return files
}

const sources = filesOf('ts')
const data = filesOf('json')
const [, products = ''] =
  /^echo '(.*)' > products\.json$/m.exec(blocksOf(GUIDE, 'sh').join('\n')) ?? []
const namespace = freshNamespace()

function write(version: number): void {
  writeFileSync(join(folder, 'products.json'), products)
  for (const [name, versions] of sources) {
    const code = versions[Math.min(version, versions.length - 1)] ?? ''
    writeFileSync(
      join(folder, name),
      code.replace("namespace: 'shop'", `namespace: '${namespace}'`),
    )
  }
}

const run = (
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [...FROM_SOURCE, file], {
    cwd: folder,
    env: { ...withoutRedis(), ...env },
  })

function withoutRedis(): NodeJS.ProcessEnv {
  const { REDIS_URL: _url, ...rest } = process.env
  return rest
}

it('compiles with the tsconfig it shows', () => {
  for (const version of [0, 1]) {
    write(version)
    const shown = JSON.parse(data.get('tsconfig.json')?.[0] ?? '')
    const compilerOptions = {
      ...shown.compilerOptions,
      noEmit: true,
      customConditions: ['larder-source'],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    )
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    let said = ''
    try {
      execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    } catch (error) {
      said = (error as { stdout: string }).stdout
    }
    // What is compiled with these options is the user's own: our sources are compiled with ours.
    expect(
      said.split('\n').filter((line) => line.includes(folder.split('/').at(-1) ?? '')),
    ).toEqual([])
  }
})

it('prints in process what it says', async () => {
  write(0)
  const { stdout } = await run('first.ts')
  expect(blocksOf(GUIDE, 'text')[0]).toBe(stdout)
})

it('has a hit from Redis in the second process', async () => {
  write(1)
  const env = { REDIS_URL: sharedRedisUrl() }
  const { stdout: first } = await run('first.ts', env)
  expect(first.match(/reading/g)).toHaveLength(2)
  write(1)
  const { stdout: second } = await run('first.ts', env)
  expect(second.split('\n')[0]).toBe("{ id: '42', price: 12 }")
})

it('shows on the second node what the first one saved, and ends on SIGTERM and on Ctrl+C', async () => {
  write(1)
  const nodes = await Promise.all([startNode(), startNode()])
  const [a, b] = nodes
  for (const { url } of nodes) await read(`${url}/7`)
  expect(await read(`${a.url}/7?price=15`, 'PUT')).toEqual({ id: '7', price: 15 })
  await eventually('the second node shows it', async () => {
    const found = (await read(`${b.url}/7`)) as { price?: number } | undefined
    return found?.price === 15
  })
  for (const [i, { child, said }] of nodes.entries()) {
    const ended = once(child, 'exit')
    child.kill(i === 0 ? 'SIGTERM' : 'SIGINT')
    expect(await ended).toEqual([0, null])
    expect(said()).toContain('closed')
  }
})

interface Node {
  readonly url: string
  readonly child: ChildProcess
  said(): string
}

async function startNode(): Promise<Node> {
  const port = await freePort()
  const child = spawn(process.execPath, [...FROM_SOURCE, 'server.ts'], {
    cwd: folder,
    env: { ...process.env, PORT: String(port), REDIS_URL: sharedRedisUrl() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let said = ''
  child.stdout.on('data', (text) => {
    said += String(text)
  })
  const url = `http://localhost:${port}`
  await eventually('the server listens', async () => (await fetch(`${url}/42`)).ok)
  return { url, child, said: () => said }
}

async function read(url: string, method = 'GET'): Promise<unknown> {
  const text = await (await fetch(url, { method })).text()
  return text.trim() === 'undefined' ? undefined : JSON.parse(text)
}
