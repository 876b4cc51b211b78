/** How the public suites are brought: at their commit, once, and told apart from a server that does not answer. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type Source, suiteFolder, Unreachable } from './checkouts.ts'

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'larder-checkouts-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A repository of two commits; the first one is the one that is wanted. */
function repository(): Source {
  const url = temporary()
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', url, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], {
      encoding: 'utf8',
    })
  git('init', '-q')
  const commit = (text: string): string => {
    writeFileSync(join(url, 'suite.js'), text)
    git('add', '.')
    git('commit', '-q', '-m', text)
    return git('rev-parse', 'HEAD').trim()
  }
  const first = commit('wanted')
  commit('later')
  return { url, commit: first }
}

it('a suite is checked out at its commit, and kept for the next run', () => {
  const source = repository()
  const env = { LARDER_SUITES_CACHE: join(temporary(), 'not', 'there', 'yet') }
  const folder = suiteFolder('express', { env, source })
  expect(readFileSync(join(folder, 'suite.js'), 'utf8')).toBe('wanted')
  expect(readdirSync(env.LARDER_SUITES_CACHE)).toEqual([`express-${source.commit}`])
  const gone = { ...source, url: join(source.url, 'gone') }
  expect(suiteFolder('express', { env, source: gone })).toBe(folder)
})

it('another repository can be named, and has to be there', () => {
  const { url, commit } = repository()
  const source = { url: 'http://127.0.0.1:1/nobody', commit }
  const env = { LARDER_SUITES_CACHE: temporary(), LARDER_SUITE_FASTIFY: url }
  expect(existsSync(join(suiteFolder('fastify', { env, source }), 'suite.js'))).toBe(true)
  const missing = { LARDER_SUITES_CACHE: temporary(), LARDER_SUITE_FASTIFY: join(url, 'gone') }
  const bring = (): string => suiteFolder('fastify', { env: missing, source })
  expect(bring).toThrow(/git does not reach/)
  expect(bring).not.toThrow(Unreachable)
})

it('a public address that does not answer is no fault, but a commit that it does not have is one', () => {
  const source = repository()
  const env = { LARDER_SUITES_CACHE: temporary() }
  const nobody = { ...source, url: 'http://127.0.0.1:1/nobody' }
  expect(() => suiteFolder('express', { env, source: nobody })).toThrow(Unreachable)
  const other = { ...source, commit: '0123456789012345678901234567890123456789' }
  const bring = (): string => suiteFolder('express', { env, source: other })
  expect(bring).toThrow(/fails/)
  expect(bring).not.toThrow(Unreachable)
  // Nothing half is left.
  expect(readdirSync(env.LARDER_SUITES_CACHE)).toEqual([])
})
