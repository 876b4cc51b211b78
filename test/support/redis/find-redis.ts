/** Where tests get a real Redis from. Never a mock, never a silent skip: without one, the run fails and says what to do. */

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { dockerAnswers } from './docker.ts'
import { type AptOutcome, installRedisWithApt } from './install-redis.ts'

/** A Redis that can be started, stopped, killed and paused; `server` is the path of redis-server or valkey-server. */
export type OwnRedisSource =
  | { readonly kind: 'binary'; readonly server: string }
  | { readonly kind: 'docker' }

/** Where the shared server of a run comes from. */
export type SharedRedisSource = OwnRedisSource | { readonly kind: 'url'; readonly url: string }

/** What the search asks of its surroundings; tests of the search answer for themselves. */
export interface RedisProbes {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly dockerAnswers: () => Promise<boolean>
  readonly installWithApt: () => Promise<AptOutcome>
}

const realProbes: RedisProbes = {
  env: process.env,
  dockerAnswers,
  installWithApt: () => installRedisWithApt(),
}

/**
 * Finds the Redis that all tests of a run share: `REDIS_URL`, else as {@link findOwnRedis}.
 *
 * @throws Error saying what was looked for and what to do, when there is none
 */
export async function findSharedRedis(
  probes: RedisProbes = realProbes,
): Promise<SharedRedisSource> {
  const url = probes.env['REDIS_URL']
  return url ? { kind: 'url', url } : findOwnRedis(probes)
}

/**
 * Finds a Redis for tests that kill, pause and flush: a server on PATH, Docker, or apt-get (Debian or Ubuntu, as root).
 * `REDIS_URL` doesn't serve here: that may be somebody else's server, and it cannot be killed.
 *
 * @throws Error saying what was looked for and what to do, when there is none
 */
export async function findOwnRedis(probes: RedisProbes = realProbes): Promise<OwnRedisSource> {
  const server = serverOnPath(probes.env['PATH'])
  if (server !== undefined) return { kind: 'binary', server }
  if (await probes.dockerAnswers()) return { kind: 'docker' }
  const apt = await probes.installWithApt()
  // Looked up again even after a failure: a parallel run may have installed it.
  const installed = serverOnPath(probes.env['PATH'])
  if (installed !== undefined) return { kind: 'binary', server: installed }
  throw new Error(nothingFound(probes, apt))
}

function serverOnPath(path = ''): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  return ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function nothingFound(probes: RedisProbes, apt: AptOutcome): string {
  const isUrlSet = Boolean(probes.env['REDIS_URL'])
  return [
    'These tests need a real Redis, and none was found. One of these will do:',
    '  - put redis-server (6.2 or newer) or valkey-server on PATH: apt-get install redis-server, brew install redis',
    '  - start Docker; its image redis:7 is used then',
    '  - set REDIS_URL=redis://host:port to a server the tests may write to; tests that stop, kill or pause servers need one of the above as well',
    'What was looked for:',
    `  - REDIS_URL: ${isUrlSet ? 'set, but these tests need servers of their own to stop and kill' : 'not set'}`,
    '  - redis-server, valkey-server: not on PATH',
    '  - Docker: no engine answered',
    `  - apt-get install redis-server: ${describeApt(apt)}`,
  ].join('\n')
}

function describeApt(apt: AptOutcome): string {
  if (apt.kind === 'unfit') return apt.why
  if (apt.kind === 'installed') return 'succeeded, but left no redis-server on PATH'
  return `failed:\n${apt.output.replace(/^/gm, '      ')}`
}
