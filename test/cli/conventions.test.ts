/** What holds for every command: help, wrong usage, exit codes, where things are printed, what is never printed. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { INTERNALS, partitionOf } from '@larder/core/store'
import { redisLimits, redisLocks } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { COMMANDS } from '../../packages/cli/src/command-table.ts'
import { RUNS } from '../../packages/cli/src/run-command.ts'
import { VERSION } from '../../packages/cli/src/version.ts'
import { COMMANDS as RIGHTS } from '../../packages/redis-store/src/connection/rights.ts'
import { manifestOf } from '../../tools/packages.mjs'
import { freePort } from '../support/free-port.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'

const NAMES = COMMANDS.map(({ name }) => name)
const NOWHERE = { LARDER_URL: '', REDIS_URL: '' }

describe('the table of commands', () => {
  it('has code for each command, and a command for all code', () => {
    expect(Object.keys(RUNS).sort()).toEqual([...NAMES].sort())
  })

  it.each(NAMES)('%s is explained, without a connection', async (name) => {
    const { code, stdout, stderr } = await larder([name, '--help'], undefined, { env: NOWHERE })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: larder ${name}`)
    expect(stdout).toContain('Examples:')
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100)
    expect((await larder(['help', name])).stdout).toBe(stdout)
  })

  it.each(COMMANDS.flatMap(({ examples }) => examples))(
    'its example can be called: %s',
    async (line) => {
      const args = line.split(' ').slice(1)
      // Nothing says where Redis is, which is the first thing that is wrong.
      const { stderr } = await larder(args, undefined, { env: NOWHERE, cwd: tmpdir() })
      expect(stderr).toContain('Nothing says where Redis is')
    },
  )

  it('the version is that of the package', async () => {
    expect((await larder(['--version'])).stdout).toBe(`${VERSION}\n`)
    expect(VERSION).toBe(manifestOf('cli').version)
  })
})

describe('wrong usage is 2, and says what was perhaps meant', () => {
  it.each<[string, readonly string[], string]>([
    ['an unknown command', ['evit'], 'Did you mean evict?'],
    ['an unknown option', ['keys', '--jsom'], 'Did you mean --json?'],
    ['an unknown option of evict', ['evict', '--al'], "no option 'al'"],
    ['a key that is missing', ['show'], 'KEY is missing'],
    ['a word too many', ['show', 'a:b', 'c:d'], 'one word too many'],
    ['what is not a full key', ['explain', '42'], 'products:42'],
    ['no keys', ['evict'], 'Which keys?'],
    ['keys and a prefix', ['evict', 'a:b', '--prefix', 'a'], 'Which keys?'],
    ['a count that is none', ['keys', '--limit', 'many'], 'whole number'],
    ['a negative count', ['keys', '--limit=-1'], 'whole number'],
    ['a time that is none', ['evict', 'a:b', '--settle', 'soon', '--yes'], '--settle'],
    ['an option without its value', ['keys', '--tag'], '--tag'],
    ['options before the command', ['--json', 'keys'], 'The command comes first'],
    [
      'Cluster and Sentinel',
      ['keys', '--url', 'redis://h', '--cluster', '--sentinel', 'm'],
      'exclude',
    ],
    ['several URLs for one server', ['keys', '--url', 'redis://a,redis://b'], '--cluster'],
    ['a URL of something else', ['keys', '--url', 'http://localhost'], 'redis://'],
    [
      'a file that is not there',
      ['keys', '--config', 'nothing.mjs'],
      'There is no file nothing.mjs',
    ],
    ['a file of TypeScript', ['keys', '--config', 'larder.config.ts'], 'not JavaScript'],
  ])('%s', async (_, args, words) => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('a').set('b', 'v')
    const { code, stdout, stderr } = await larder(args, namespace)
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  })

  it('a namespace that was not said, or is none', async () => {
    const missing = await larder(['keys'])
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringContaining('larder namespaces'),
    ])
    expect((await larder(['keys', '-n', 'a b'])).code).toBe(2)
  })

  it('errors are objects with --json', async () => {
    const { stderr, stdout } = await larder(['show', 'a:b', '--json'], freshNamespace())
    expect(stdout).toBe('')
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'notFound', message: expect.any(String), fix: null },
    })
  })
})

describe('a Redis that is not there', () => {
  it.each(NAMES)('ends %s with 3', async (name) => {
    const url = `redis://127.0.0.1:${await freePort()}`
    const { takes = [] } = COMMANDS.find((command) => command.name === name) ?? {}
    const words = takes.some(({ isOptional = false }) => !isOptional) ? ['a:b'] : []
    const args = name === 'evict' ? [name, 'a:b'] : [name, ...words]
    const { code, stdout, stderr } = await larder(args, 'shop', { url })
    expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining('ECONNREFUSED')])
  })

  it('or hangs, ends with 3 as well, also when it begins to hang later', async () => {
    const server = await startRedis()
    onTestFinished(async () => {
      await server.resume()
      await server.stop()
    })
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, url: server.url })
    await caches.cache('c').set('k', 'v')
    const watching = larder(['keys', '--long'], namespace, { url: server.url })
    expect((await watching).code).toBe(0)
    await server.pause()
    expect((await larder(['keys'], namespace, { url: server.url })).code).toBe(3)
  }, 60_000)
})

describe('a password', () => {
  const PASSWORD = 'correct-horse-battery'

  it('is taken from the environment, and printed nowhere', async () => {
    const server = await startRedis({ args: ['--requirepass', PASSWORD] })
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, url: server.url })
    await caches.cache('c').set('k', 'v')
    const wrong = server.url.replace(PASSWORD, `${PASSWORD}-wrong`)
    const without = server.url.replace(/\/\/.*@/, '//')
    for (const [url, code] of [
      [server.url, 0],
      [wrong, 3],
      [without, 3],
    ] as const) {
      for (const args of [['keys'], ['stats'], ['doctor'], ['keys', '--json']]) {
        const called = await larder(args, namespace, { url })
        expect([args, called.code]).toEqual([args, code])
        expect(called.stdout + called.stderr).not.toContain(PASSWORD)
      }
    }
    const said = await larder(['keys', '--url', server.url], namespace)
    expect([said.code, said.stderr]).toEqual([0, expect.stringContaining('LARDER_URL hides it')])
    expect(said.stderr).not.toContain(PASSWORD)
    const odd = await larder(['keys', '--url', `redis//:${PASSWORD}@h`], namespace)
    expect(odd.code).toBe(2)
    expect(odd.stderr).not.toContain(PASSWORD)
  })
})

describe('a user with the rights of a cache', () => {
  it('and SCAN can use every command, and what needs more is unknown', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, url: server.url })
    await caches.cache('c').set('k', 'v', { tags: ['t'] })
    const rights = [...RIGHTS.cache, 'subscribe', 'unsubscribe', 'scan'].map((name) => `+${name}`)
    const reach = [`~{${namespace}:*`, `&${namespace}:*`]
    await server.command('ACL', 'SETUSER', 'cache', 'on', '>pw', ...reach, '-@all', ...rights)
    const url = server.url.replace('//', '//cache:pw@')
    const LINES = [
      ...[['namespaces'], ['stats'], ['caches'], ['keys', '--long'], ['show', 'c:k', '--values']],
      ...[['explain', 'c:k'], ['locks'], ['limits'], ['nodes']],
      ...[
        ['evict', 'c:k', '--yes'],
        ['evict-tag', 't', '--yes'],
        ['clear', '--yes'],
      ],
    ]
    for (const line of LINES) {
      const { code, stderr } = await larder(line, namespace, { url })
      expect([line, code, stderr.includes('NOPERM')]).toEqual([line, 0, false])
    }
    const [stats] = (await larder(['stats', '--json'], namespace, { url })).rows
    expect(stats).toMatchObject({
      server: { keys: null, usedBytes: null },
      nodes: { listening: null },
    })
  })
})

describe('where Redis is', () => {
  function folderWith(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(tmpdir(), 'larder cli '))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }

  it('comes from a flag, else the environment, else a file', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const url = inject('redisUrl')
    const nowhere = `redis://127.0.0.1:${await freePort()}`
    const cwd = folderWith({
      'larder.config.mjs': `export default { url: ${JSON.stringify(url)}, namespace: ${JSON.stringify(namespace)} }`,
    })
    expect((await larder(['keys'], undefined, { env: NOWHERE, cwd })).lines).toContain('c:k')
    expect((await larder(['keys'], namespace, { url: nowhere, cwd })).code).toBe(3)
    expect((await larder(['keys', '--url', url], namespace, { url: nowhere, cwd })).code).toBe(0)
    expect((await larder(['keys', '-n', 'other'], undefined, { env: NOWHERE, cwd })).code).toBe(4)
  })

  it.each([
    [
      'config.mjs',
      (url: string, namespace: string) =>
        `export const config = { url: '${url}', namespace: '${namespace}' }`,
    ],
    [
      'config.cjs',
      (url: string, namespace: string) =>
        `module.exports = { url: '${url}', namespace: '${namespace}' }`,
    ],
    [
      'config.mjs',
      (url: string, namespace: string) =>
        `export default async () => ({ url: '${url}', namespace: '${namespace}' })`,
    ],
  ])('may be exported in several ways: %s', async (name, text) => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const cwd = folderWith({ [name]: text(inject('redisUrl'), namespace) })
    const { code, lines, stderr } = await larder(['keys', '--config', name], undefined, { cwd })
    expect([stderr, code, lines.at(-1)]).toEqual(['', 0, 'c:k'])
  })

  it('may be a manager of the application, which is closed again', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const shared = Symbol.for('larder.test.cli')
    const hall = globalThis as { [shared]?: unknown }
    hall[shared] = caches
    onTestFinished(() => void delete hall[shared])
    const cwd = folderWith({
      'caches.mjs': `export const caches = globalThis[Symbol.for('larder.test.cli')]`,
    })
    const { code, lines, stderr } = await larder(['keys', '--config', 'caches.mjs'], undefined, {
      cwd,
    })
    expect([stderr, code, lines.at(-1)]).toEqual(['', 0, 'c:k'])
    expect(caches.isClosed).toBe(true)
  })

  it('of locks and limits is where the manager has them', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const { caches } = startNode({
      namespace,
      locks: redisLocks({ url: server.url }),
      limits: redisLimits({ url: server.url }),
    })
    const shared = Symbol.for('larder.test.cli.locks')
    const hall = globalThis as { [shared]?: unknown }
    const { [INTERNALS]: internals } = caches
    // Not closed by the command, because it holds the lock.
    hall[shared] = { namespace, [INTERNALS]: internals, close: async () => {} }
    onTestFinished(() => void delete hall[shared])
    const text = `export default globalThis[Symbol.for('larder.test.cli.locks')]`
    const cwd = folderWith({ 'caches.mjs': text })
    const call = async (name: string) =>
      (await larder([name, '--json', '--config', 'caches.mjs'], undefined, { cwd })).rows
    await caches.limiter({ name: 'api', limit: 5, per: '1h' }).consume('a')
    await caches.locks.run('l', { lease: '1m' }, async () => {
      expect(await call('locks')).toEqual([expect.objectContaining({ name: 'l' })])
    })
    expect(await call('limits')).toEqual([expect.objectContaining({ limiter: 'api', used: 1 })])
    expect((await larder(['limits', '--json'], namespace)).rows).toEqual([])
  })

  it('and a password in it are not repeated when something is wrong with the file', async () => {
    const cwd = folderWith({
      'cluster.mjs': `export default { cluster: ['http://:correct-horse@h'], namespace: 'shop' }`,
      'url.mjs': `export default { url: 'http://:correct-horse@h', namespace: 'shop' }`,
      'beside.mjs': `export default { url: 'redis://h', password: 'correct-horse', namespace: 'shop' }`,
      'database.mjs': `export default { url: 'redis://:correct-horse@h/x', namespace: 'shop' }`,
    })
    for (const file of ['cluster', 'url', 'beside', 'database']) {
      const { code, stderr } = await larder(['keys', '--config', `${file}.mjs`], 'shop', { cwd })
      expect([file, code]).toEqual([file, 2])
      expect(stderr).not.toContain('correct-horse')
    }
  })

  it('lets values be read as the manager reads them', async () => {
    const namespace = freshNamespace()
    const secrecy = {
      name: 'secrecy',
      codecSteps: [
        {
          id: 200,
          name: 'xor',
          required: true,
          encode: (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x5a),
          decode: (bytes: Uint8Array, { key }: { readonly key: string }) => {
            if (key !== 'c:k') throw new Error('moved to another key')
            return bytes.map((byte) => byte ^ 0x5a)
          },
        },
      ],
    }
    const { caches } = startNode({ namespace, plugins: [secrecy] })
    await caches.cache('c').set('k', 'hunter2')
    const shared = Symbol.for('larder.test.cli.values')
    const hall = globalThis as { [shared]?: unknown }
    hall[shared] = caches
    onTestFinished(() => void delete hall[shared])
    const text = `export default globalThis[Symbol.for('larder.test.cli.values')]`
    const cwd = folderWith({ 'caches.mjs': text })
    const args = ['show', 'c:k', '--json', '--values']
    expect((await larder(args, namespace)).rows[0]).not.toHaveProperty('value')
    const { rows } = await larder([...args, '--config', 'caches.mjs'], undefined, { cwd })
    expect(rows[0]).toMatchObject({ value: 'hunter2' })
    const said = async (key: string) =>
      (await larder(['explain', key, '--json', '--config', 'caches.mjs'], undefined, { cwd }))
        .rows[0]
    expect(await said('c:k')).toMatchObject({ outcome: 'hit' })
    await copy(namespace, 'c:k', 'c:other')
    expect(await said('c:other')).toMatchObject({ outcome: 'miss', reason: 'undecodable' })
    expect((await larder(['explain', 'c:other', '--json'], namespace)).rows[0]).toMatchObject({
      outcome: 'hit',
    })
  })

  it('says what is wrong with a file', async () => {
    const cwd = folderWith({
      'throws.mjs': `throw new Error('no such variable')`,
      'empty.mjs': '',
      'wrong.mjs': `export default { urls: 'redis://h', namespace: 'shop' }`,
    })
    const call = (file: string) => larder(['keys', '--config', file], 'shop', { cwd })
    expect(await call('throws.mjs')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such variable'),
    })
    expect(await call('empty.mjs')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exports neither'),
    })
    expect(await call('wrong.mjs')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('url'),
    })
  })
})

/** What somebody who can write to Redis could do. */
async function copy(namespace: string, from: string, to: string): Promise<void> {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const placeOf = (key: string): string => `{${namespace}:${partitionOf(key)}}:${key}`
  const bytes = await redis.getBuffer(placeOf(from))
  await redis.set(placeOf(to), bytes ?? '')
}

describe('colours', () => {
  it('are for terminals only, and not where somebody wants none', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const hasColour = async (parts: Parameters<typeof larder>[2], ...more: readonly string[]) =>
      (await larder(['explain', 'c:k', ...more], namespace, parts)).stdout.includes('\u001b[')
    expect(await hasColour({ isTerminal: true })).toBe(true)
    expect(await hasColour({ isTerminal: true, env: { NO_COLOR: '1' } })).toBe(false)
    expect(await hasColour({ isTerminal: true, env: { TERM: 'dumb' } })).toBe(false)
    expect(await hasColour({ isTerminal: true }, '--no-color')).toBe(false)
    expect(await hasColour({ isTerminal: true }, '--json')).toBe(false)
    expect(await hasColour({})).toBe(false)
  })
})
