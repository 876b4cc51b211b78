/** Another process for a test: a real one, to be frozen and killed. */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Deferred, deferred } from '../eventually.ts'
import { OwnedProcess } from './owned-process.ts'
import { sourceRunner } from './source-runner.ts'
import { received, type WorkerReport, type WorkerRequest } from './worker-messages.ts'

/**
 * What a worker module exports as `worker`: functions whose arguments and results can be cloned. `start(init)` runs first.
 * With a `stop` function, the process has to end by itself after it, within five seconds.
 */
export type WorkerMethods = Record<string, (...args: never[]) => unknown>

/** How {@link startWorker} runs a process. */
export interface WorkerOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Options of node, e.g. `['--expose-gc']`. */
  readonly nodeOptions?: readonly string[]
}

const ENDS_WITHIN_MS = 5000

/**
 * Starts a process that imports a TypeScript module and answers calls of the functions in its `worker` export.
 *
 * @throws Error of the module or its `start`, with what the process wrote to stderr
 * @example await using node = await startWorker<typeof import('./node.worker.ts').worker>(
 *     new URL('./node.worker.ts', import.meta.url), { url: redis.url });
 *   await node.call('evict', '42');
 */
export async function startWorker<Methods extends WorkerMethods>(
  moduleUrl: string | URL,
  init?: unknown,
  { env = {}, nodeOptions = [] }: WorkerOptions = {},
): Promise<WorkerProcess<Methods>> {
  const entry = fileURLToPath(new URL('./worker-entry.ts', import.meta.url))
  const child = spawn(process.execPath, [...nodeOptions, ...sourceRunner(), entry], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    // Maps, dates, bigints and bytes arrive as what they were.
    serialization: 'advanced',
  })
  const worker = new WorkerProcess<Methods>(child, moduleUrl.toString())
  try {
    await worker.start(init)
    return worker
  } catch (error) {
    await worker.kill()
    throw error
  }
}

/** A worker process; everything that goes wrong in it fails the next call or {@link WorkerProcess.stop}. */
export class WorkerProcess<Methods extends WorkerMethods> implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #process: OwnedProcess
  readonly #moduleUrl: string
  readonly #pending = new Map<number, Deferred<unknown>>()
  readonly #unhandled: Error[] = []
  #stderr = ''
  #lastId = 0
  #isStopped = false

  /** Use {@link startWorker}. */
  constructor(child: ChildProcess, moduleUrl: string) {
    this.#child = child
    this.#process = new OwnedProcess(child)
    this.#moduleUrl = moduleUrl
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
    ;(child.stderr as Socket | null)?.unref()
    child.on('message', (report: WorkerReport) => this.#receive(report))
    // 'close' and not 'exit': only then all of stderr is here.
    child.on('close', () => this.#closed())
    child.channel?.unref()
  }

  get pid(): number {
    return this.#process.pid
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  /** What it wrote to stderr so far: warnings, too. */
  get stderr(): string {
    return this.#stderr
  }

  /** Rejections and exceptions that nobody in it handled. */
  get unhandled(): readonly Error[] {
    return this.#unhandled
  }

  /** Called once by {@link startWorker}. */
  async start(init: unknown): Promise<void> {
    await this.#request({ id: 0, kind: 'start', moduleUrl: this.#moduleUrl, init })
  }

  /**
   * Calls a function of the module in its process; while the process is paused, it waits.
   *
   * @throws what the function threw, as an error with its name, message and `code`
   * @throws Error when the process ended or something in it went unhandled
   */
  async call<Name extends Exclude<keyof Methods & string, 'start' | 'stop'>>(
    method: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    this.#assertNothingUnhandled()
    this.#lastId += 1
    const value = await this.#request({ id: this.#lastId, kind: 'call', method, args })
    return value as Awaited<ReturnType<Methods[Name]>>
  }

  /** SIGSTOP: as a process in a long garbage collection or on a machine that sleeps. */
  pause(): void {
    this.#process.pause()
  }

  resume(): void {
    this.#process.resume()
  }

  /** SIGKILL: it says goodbye to nobody. Calls in flight are rejected. */
  async kill(): Promise<void> {
    this.#isStopped = true
    await this.#process.kill()
  }

  /**
   * Lets the module stop and waits until the process has ended by itself.
   *
   * @throws Error when its `stop` failed, something went unhandled, or it had to be killed because it did not end
   */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.resume()
    this.#lastId += 1
    const stopped = this.#request({ id: this.#lastId, kind: 'stop' })
    // Its failure is reported below, once the process is gone in any case.
    await stopped.catch(() => {})
    const hasEnded = await this.#process.endWithin(ENDS_WITHIN_MS)
    await stopped
    const { code } = await this.#process.ended
    if (!hasEnded) throw this.#failure('did not end by itself after its stop')
    if (code !== 0) throw this.#failure(`ended with code ${code}`)
    this.#assertNothingUnhandled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #request(request: WorkerRequest): Promise<unknown> {
    const answer = deferred<unknown>()
    if (!this.#child.connected) return Promise.reject(this.#failure('is not running'))
    this.#pending.set(request.id, answer)
    // Only who waits for an answer keeps this process alive.
    this.#child.channel?.ref()
    this.#child.send(request, (error) => {
      if (error !== null) this.#settle(request.id, (pending) => pending.reject(error))
    })
    return answer.promise
  }

  #receive(report: WorkerReport): void {
    switch (report.kind) {
      case 'unhandled':
        this.#unhandled.push(received(report.error))
        return
      case 'result':
        this.#settle(report.id, (pending) => pending.resolve(report.value))
        return
      case 'failure':
        this.#settle(report.id, (pending) => pending.reject(received(report.error)))
    }
  }

  #settle(id: number, how: (pending: Deferred<unknown>) => void): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#child.channel?.unref()
    how(pending)
  }

  #closed(): void {
    for (const id of this.#pending.keys()) {
      this.#settle(id, (pending) => pending.reject(this.#failure('ended before it answered')))
    }
  }

  #assertNothingUnhandled(): void {
    const [first] = this.#unhandled
    if (first !== undefined)
      throw this.#failure(`left unhandled: ${first.name}: ${first.message}`, first)
  }

  #failure(what: string, cause = this.#unhandled[0]): Error {
    const name = this.#moduleUrl.split('/').at(-1)
    const stderr = this.#stderr.trim() === '' ? '' : `\nIts stderr:\n${this.#stderr.slice(-4000)}`
    return new Error(`The worker ${name} (pid ${this.pid}) ${what}${stderr}`, { cause })
  }
}
