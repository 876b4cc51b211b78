/** Where tests get a real Redis from. Never a mock, never a silent skip: without one, the run fails and says what to do. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const DOCKER_ANSWERS_WITHIN_MS = 5_000

const ADVICE = `The tests need a real Redis, and none was found. One of these will do:
  - set REDIS_URL to a server the tests may write to (tests that stop and pause servers need one of the others as well);
  - put redis-server (6.2 or newer) or valkey-server on PATH, for instance: apt-get install redis-server, brew install redis;
  - start Docker.`

/** How a server of our own can be run. */
export type ServerSource =
  | { readonly kind: 'binary'; readonly path: string }
  | { readonly kind: 'docker' }

/**
 * Finds a way to run servers of our own: a binary on PATH, Docker, or, as root on Debian or Ubuntu, a package to install.
 *
 * @throws Error that says what to do when there is none.
 */
export async function findServerSource(): Promise<ServerSource> {
  const binary = findBinary()
  if (binary !== undefined) return { kind: 'binary', path: binary }
  if (await hasDocker()) return { kind: 'docker' }
  const problem = await installPackage()
  const installed = findBinary()
  if (installed !== undefined) return { kind: 'binary', path: installed }
  throw new Error(problem === undefined ? ADVICE : `${ADVICE}\nInstalling the Debian package failed: ${problem}`)
}

function findBinary(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

async function hasDocker(): Promise<boolean> {
  try {
    await run('docker', ['info'], { timeout: DOCKER_ANSWERS_WITHIN_MS })
    return true
  } catch {
    return false
  }
}

/** Returns what went wrong, or `undefined` when there was nothing to try or it worked. */
async function installPackage(): Promise<string | undefined> {
  const isDebian = existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')
  if (!isDebian || process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await run('apt-get', ['update', '-qq'], { env })
    // The package would start a server of its own, on a port that is not ours to take.
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      env: { ...env, RUNLEVEL: '1' },
    })
    await run('service', ['redis-server', 'stop']).catch(() => undefined)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
