/** A Redis server of a test's own: to kill, pause, flush and restart. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { eventually } from './eventually.ts'
import { findServerSource } from './find-redis.ts'

export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Runs one command on a connection of its own. */
  command(...args: [string, ...(string | number)[]]): Promise<unknown>
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void
  resume(): void
  /** Starts again on the same port, empty. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const started = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

const START_TRIES = 5

/** Starts an empty server on a free port. Extra arguments are configuration, such as `['--maxmemory', '2mb']`. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const source = await findServerSource()
  if (source.kind === 'docker') return startContainer()
  for (let left = START_TRIES; ; left--) {
    const port = await freePort()
    try {
      return await ownServer(source.path, port, args)
    } catch (error) {
      // Somebody else may have taken the port in between.
      if (left === 1) throw error
    }
  }
}

async function ownServer(binary: string, port: number, args: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-redis-'))
  let child = await launch(binary, port, folder, args)
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...command) => runCommand(port, command),
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    restart: async () => {
      await kill()
      child = await launch(binary, port, folder, args)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function launch(
  binary: string,
  port: number,
  folder: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const child = spawn(binary, [...fixed, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  started.add(child)
  child.on('exit', () => started.delete(child))
  child.stdout.resume()
  await eventually(`Redis answers on port ${port}`, async () => {
    if (child.exitCode !== null) throw new Error(`Redis ended with ${child.exitCode}`)
    return (await runCommand(port, ['ping'])) === 'PONG'
  })
  return child
}

async function runCommand(port: number, [name, ...args]: [string, ...(string | number)[]]): Promise<unknown> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

/** Thin on purpose: a container can be stopped and paused by its own means only, so it serves the plain tests. */
async function startContainer(): Promise<RedisServer> {
  const { GenericContainer } = await import('testcontainers')
  const container = await new GenericContainer('redis:7').withExposedPorts(6379).start()
  const port = container.getMappedPort(6379)
  const host = container.getHost()
  const unsupported = (): never => {
    throw new Error('This test stops, pauses or restarts its server: it needs redis-server on PATH')
  }
  const stop = async (): Promise<void> => void (await container.stop())
  return {
    port,
    url: `redis://${host}:${port}`,
    command: (...command) => runCommand(port, command),
    kill: unsupported,
    pause: unsupported,
    resume: unsupported,
    restart: unsupported,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('No free port')
}
