// The one file that knows testcontainers. Imported lazily, because it takes a second and most machines have a binary.

import type { StartedTestContainer } from 'testcontainers'
import { deferred } from '../eventually.ts'
import type { ServerProcess } from './server-process.ts'

const IMAGE = 'redis:7'

/** What a container with a Redis in it needs to know. */
export interface ContainerStart {
  /** The same port inside and outside: servers announce it to each other. */
  readonly port: number
  /** A folder of the host, mounted under the same path. */
  readonly dir: string
  readonly args: readonly string[]
}

/** Tells whether a Docker engine answers within `withinMs`. */
export async function dockerAnswers(withinMs = 4000): Promise<boolean> {
  const { promise: tooLate, resolve } = deferred<false>()
  const timer = setTimeout(() => resolve(false), withinMs)
  const answer = import('testcontainers')
    .then(({ getContainerRuntimeClient }) => getContainerRuntimeClient())
    .then(
      () => true,
      () => false,
    )
  const answers = await Promise.race([answer, tooLate])
  clearTimeout(timer)
  return answers
}

/** True where containers share the network of the host, so that several servers reach each other on 127.0.0.1. */
export const containersShareTheHostNetwork: boolean = process.platform === 'linux'

/** Starts redis-server in a container. */
export async function startContainer({ port, dir, args }: ContainerStart): Promise<ServerProcess> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers')
  const container = new GenericContainer(IMAGE)
    .withCommand(['redis-server', ...args])
    .withBindMounts([{ source: dir, target: dir }])
  if (containersShareTheHostNetwork) container.withNetworkMode('host')
  else container.withExposedPorts({ container: port, host: port })
  // The files it leaves behind must be ours to delete.
  if (process.getuid && process.getgid)
    container.withUser(`${process.getuid()}:${process.getgid()}`)
  const started = await container.start()
  const engine = (await getContainerRuntimeClient()).container.getById(started.getId())
  return containerProcess(started, engine)
}

interface Engine {
  kill(): Promise<unknown>
  pause(): Promise<unknown>
  unpause(): Promise<unknown>
  wait(): Promise<unknown>
  inspect(): Promise<{ State: { Pid: number } }>
}

async function containerProcess(
  started: StartedTestContainer,
  engine: Engine,
): Promise<ServerProcess> {
  let isRunning = true
  const ended = engine.wait().then(
    () => {
      isRunning = false
    },
    () => {
      isRunning = false
    },
  )
  const { State } = await engine.inspect()
  const remove = () =>
    started.stop({ timeout: 3000 }).then(
      () => ended,
      () => ended,
    )
  return {
    pid: State.Pid,
    // Inside its container a server sees another number.
    isProcess: () => true,
    get isRunning() {
      return isRunning
    },
    ended,
    pause: async () => void (await engine.pause()),
    resume: async () => void (await engine.unpause().catch(() => {})),
    kill: async () => {
      await engine.kill().catch(() => {})
      await remove()
    },
    terminate: async () => {
      await engine.unpause().catch(() => {})
      await remove()
    },
  }
}
