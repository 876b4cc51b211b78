// The program that a worker process runs: it imports the module it is told to, and answers calls of its functions.

import { sendable, type WorkerReport, type WorkerRequest } from './worker-messages.ts'

type Methods = Record<string, ((...args: unknown[]) => unknown) | undefined>

let methods: Methods = {}
let isStopping = false

process.on('unhandledRejection', (reason) => complain(reason))
process.on('uncaughtException', (error) => complain(error, () => process.exit(1)))
process.on('disconnect', () => {
  // Without a test there is nothing to do any more.
  if (!isStopping) process.exit(0)
})
process.on('message', (request: WorkerRequest) => void answer(request))

async function answer(request: WorkerRequest): Promise<void> {
  const { id } = request
  try {
    const value = await perform(request)
    // A value that cannot be cloned throws here, and becomes a failure as well.
    report({ kind: 'result', id, value }, request.kind === 'stop' ? end : undefined)
  } catch (error) {
    report(
      { kind: 'failure', id, error: sendable(error) },
      request.kind === 'stop' ? end : undefined,
    )
  }
}

async function perform(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'start':
      return start(request.moduleUrl, request.init)
    case 'call':
      return call(request.method, request.args)
    case 'stop':
      isStopping = true
      return methods['stop']?.()
  }
}

async function start(moduleUrl: string, init: unknown): Promise<void> {
  const module = (await import(moduleUrl)) as { worker?: Methods }
  if (typeof module.worker !== 'object') {
    throw new TypeError(`${moduleUrl} exports no object named 'worker'`)
  }
  methods = module.worker
  await methods['start']?.(init)
}

function call(method: string, args: readonly unknown[]): unknown {
  const body = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (body === undefined) throw new TypeError(`The worker has no method '${method}'`)
  return body(...args)
}

/** A module that knows how to stop must leave nothing open: its process has to end by itself. */
function end(): void {
  if (methods['stop'] === undefined) process.exit(0)
  process.disconnect()
  setTimeout(() => {
    console.error(`Still open: ${process.getActiveResourcesInfo().join(', ')}`)
  }, 2000).unref()
}

function complain(error: unknown, then?: () => void): void {
  if (process.connected) {
    report({ kind: 'unhandled', error: sendable(error) }, then)
    return
  }
  console.error(error)
  process.exit(1)
}

function report(message: WorkerReport, then?: () => void): void {
  process.send?.(message, undefined, undefined, () => then?.())
}
