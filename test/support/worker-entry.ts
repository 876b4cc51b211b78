// The program that a worker process runs: it imports the module it is told to, and answers calls of its functions.

import { received, sendable, type WorkerReport, type WorkerRequest } from './worker-messages.ts'

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>

let methods: Methods = {}

process.on('message', (request: WorkerRequest) => void answer(request))
// Our parent is gone, however it went.
process.on('disconnect', onDisconnect)
process.on('unhandledRejection', (reason) => report({ kind: 'unhandled', error: sendable(reason) }))
process.on('uncaughtException', (error) => report({ kind: 'unhandled', error: sendable(error) }))
report({ kind: 'up' })

let isStopping = false

async function answer(request: WorkerRequest): Promise<void> {
  switch (request.kind) {
    case 'start':
      return reply(0, () => start(request.moduleUrl, request.init))
    case 'call':
      return reply(request.id, () => call(request.method, request.args))
    case 'stop':
      return stop()
  }
}

async function start(moduleUrl: string, init: unknown): Promise<void> {
  const module = (await import(moduleUrl)) as { worker?: Methods }
  if (typeof module.worker !== 'object') throw new TypeError(`${moduleUrl} exports no object named 'worker'`)
  methods = module.worker
  await methods['start']?.(init)
}

async function call(method: string, args: readonly unknown[]): Promise<unknown> {
  const body = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (body === undefined) throw new TypeError(`The worker has no method '${method}'`)
  return body(...args)
}

/** A module that knows how to stop must leave nothing open: the process has to end by itself then. */
async function stop(): Promise<void> {
  isStopping = true
  await methods['stop']?.()
  if (methods['stop'] === undefined) process.exit(0)
  process.disconnect()
  setTimeout(() => console.error(`Still open: ${process.getActiveResourcesInfo().join(', ')}`), 2000).unref()
}

async function reply(id: number, body: () => Promise<unknown>): Promise<void> {
  try {
    await send({ kind: 'result', id, value: await body() })
  } catch (error) {
    report({ kind: 'failure', id, error: sendable(error) })
  }
}
