/**
 * Where the public suites come from: git, at a commit that is named here, so that a change there is no surprise here.
 *
 * They are kept in a folder of the user, outside of any checkout: `LARDER_SUITES_CACHE`, or `larder/suites` in the folder for caches
 * (`XDG_CACHE_HOME`, or `~/.cache`). Where the public addresses are not to be reached, `LARDER_SUITE_EXPRESS` and
 * `LARDER_SUITE_FASTIFY` name other repositories, by an address or a path that git takes.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export type Suite = 'express' | 'fastify'

export interface Source {
  readonly url: string
  readonly commit: string
}

export const SOURCES: Readonly<Record<Suite, Source>> = {
  express: {
    url: 'https://github.com/expressjs/session',
    commit: '2c9512fb790e4bf80b3b62305eb8078028607785',
  },
  fastify: {
    url: 'https://github.com/fastify/session',
    commit: '4f7c3f28f267ad6e1f1a2ace5df89101b5ddb08c',
  },
}

/** Nobody answers at the public address. Anything else that goes wrong is a fault. */
export class Unreachable extends Error {}

const GIT_MS = 120_000

interface From {
  readonly folder?: string | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly source?: Source | undefined
}

/**
 * The folder of a suite: the one that is given, the one that was brought before, or a fresh one.
 *
 * @throws Unreachable
 */
export function suiteFolder(
  suite: Suite,
  { folder, env = process.env, source = SOURCES[suite] }: From = {},
): string {
  if (folder !== undefined) return folder
  const named = env[`LARDER_SUITE_${suite.toUpperCase()}`]
  const { commit } = source
  const cache = cacheFolder(env)
  const kept = join(cache, `${suite}-${commit}`)
  if (existsSync(kept)) return kept
  const url = named || source.url
  const isThere = git(['ls-remote', '--quiet', url, 'HEAD'])
  if (!isThere.isDone) {
    const said = `git does not reach ${url}: ${isThere.said}`
    // Somebody who names another place means it.
    if (named) throw new Error(said)
    const names = `LARDER_SUITE_${suite.toUpperCase()} names another repository`
    throw new Unreachable(`${said} (${names}, --${suite} the folder of a checkout)`)
  }
  mkdirSync(cache, { recursive: true })
  // Beside it and then renamed, so that a half one is never taken for a whole one.
  const fresh = mkdtempSync(join(cache, `${suite}-`))
  try {
    checkOut(fresh, url, commit)
    if (!existsSync(kept)) renameSync(fresh, kept)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return kept
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['LARDER_SUITES_CACHE']) return env['LARDER_SUITES_CACHE']
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'larder', 'suites')
}

function checkOut(to: string, url: string, commit: string): void {
  const must = (...args: string[]): void => {
    const { isDone, said } = git(['-C', to, ...args])
    if (!isDone) throw new Error(`git ${args[0]} of ${commit} from ${url} fails: ${said}`)
  }
  must('init', '-q')
  // Not every server gives a commit by its name.
  const one = git(['-C', to, 'fetch', '-q', '--depth', '1', url, commit])
  if (!one.isDone) must('fetch', '-q', url)
  must('checkout', '-q', '--detach', commit)
}

function git(args: readonly string[]): { readonly isDone: boolean; readonly said: string } {
  const { status, stderr, error } = spawnSync('git', args, {
    encoding: 'utf8',
    timeout: GIT_MS,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
  })
  return { isDone: status === 0, said: (stderr || String(error ?? 'no answer')).trim() }
}
