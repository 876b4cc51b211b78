/** A Redis of the demo's own, when `redis-server` or `valkey-server` is on PATH: one that may be stopped. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Stoppable } from './stage.ts'

export interface OwnRedis extends Stoppable {
  readonly url: string
}

/** Starts a Redis, or returns `undefined` when there is none on PATH. */
export async function startOwnRedis(): Promise<OwnRedis | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const binary = ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
  if (binary === undefined) return undefined
  const port = await freePort()
  let child: ChildProcess | undefined
  process.on('exit', () => child?.kill('SIGKILL'))
  const start = async (): Promise<void> => {
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()]
    child = spawn(binary, args, { stdio: 'ignore' })
    await untilListening(port)
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop: async () => {
      if (child === undefined || child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('There is no free port')
}

async function untilListening(port: number): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true))
      socket.on('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('The Redis server did not start')
}
