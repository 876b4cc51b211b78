import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { OwnedProcess } from '../process/owned-process.ts'
import { containersShareTheHostNetwork, startContainer } from './docker.ts'
import { findOwnRedis, type OwnRedisSource } from './find-redis.ts'
import type { ServerProcess } from './server-process.ts'

/** What a server is started with. */
export interface ServerStart {
  readonly port: number
  /** Its working folder; also takes its log. */
  readonly dir: string
  /** A config file in `dir` that the server may rewrite. */
  readonly configFile?: string
  readonly args: readonly string[]
}

/** The file in a server's folder that takes its log. */
export const LOG_FILE = 'redis.log'

/** Starts a Redis server from wherever this machine has one. */
export async function startServerProcess(start: ServerStart): Promise<ServerProcess> {
  const source = await findOwnRedis()
  return source.kind === 'docker'
    ? startContainer({ port: start.port, dir: start.dir, args: argumentsOf(start, source) })
    : startBinary(source.server, start, argumentsOf(start, source))
}

/**
 * Checks that several servers can talk to each other here.
 *
 * @throws Error where they would run in containers that cannot
 */
export async function assertServersMeet(what: string): Promise<void> {
  const source = await findOwnRedis()
  if (source.kind === 'binary' || containersShareTheHostNetwork) return
  throw new Error(
    `${what} needs redis-server or valkey-server on PATH (brew install redis): containers on this platform cannot reach each other on 127.0.0.1`,
  )
}

function argumentsOf(
  { port, dir, configFile, args }: ServerStart,
  source: OwnRedisSource,
): string[] {
  const isPublished = source.kind === 'docker' && !containersShareTheHostNetwork
  return [
    ...(configFile === undefined ? [] : [join(dir, configFile)]),
    ...['--port', String(port), '--dir', dir, '--logfile', join(dir, LOG_FILE)],
    ...(isPublished ? ['--bind', '0.0.0.0', '--protected-mode', 'no'] : ['--bind', '127.0.0.1']),
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
    ...args,
  ]
}

async function startBinary(
  server: string,
  { dir }: ServerStart,
  args: string[],
): Promise<ServerProcess> {
  // What it says before it has read its options belongs into the same log.
  const log = openSync(join(dir, LOG_FILE), 'a')
  const child = spawn(server, args, { cwd: dir, stdio: ['ignore', log, log] })
  closeSync(log)
  const owned = new OwnedProcess(child, dir)
  return {
    pid: owned.pid,
    get isRunning() {
      return owned.isRunning
    },
    ended: owned.ended,
    isProcess: (pid) => pid === owned.pid,
    pause: async () => owned.pause(),
    resume: async () => owned.resume(),
    kill: () => owned.kill(),
    terminate: () => owned.terminate(),
  }
}
