// A child process that cannot outlive the process that started it.
//
// Three ways out, three guards. A normal end stops it. A crash or `process.exit` runs the 'exit' handler, which
// kills what is left, synchronously. SIGKILL, SIGTERM or a runner's timeout run no handler at all: for these, each
// child has a small shell beside it that waits for the end of its own input, which only our death closes, and then kills it.
// Signals go through ChildProcess.kill, or by a pid that isn't reaped yet, so that no foreign process is ever hit.

import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { deferred } from '../eventually.ts'

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const owned = new Set<OwnedProcess>()

/** A child process of ours, with signals; it does not keep the event loop alive. */
export class OwnedProcess {
  readonly pid: number
  /** Resolves when the process has ended, however it ended. */
  readonly ended: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #dir: string | undefined
  readonly #guard: ChildProcess
  #isRunning = true

  constructor(child: ChildProcess, dir?: string) {
    child.on('error', () => {}) // A failed start has no pid; a failed signal means that it ended first.
    if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`)
    this.pid = child.pid
    this.#child = child
    this.#dir = dir
    this.#guard = startGuard(child.pid, dir)
    const { promise, resolve } = deferred<ProcessEnd>()
    this.ended = promise
    child.once('exit', (code, signal) => {
      this.#isRunning = false
      owned.delete(this)
      this.#guard.kill('SIGKILL')
      resolve({ code, signal })
    })
    child.unref()
    if (!process.listeners('exit').includes(killOwned)) process.on('exit', killOwned)
    owned.add(this)
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Freezes the process: its sockets stay open and nothing answers. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Ends it without giving it a chance to do anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#end()
  }

  /** Asks it to end, and kills it when it has not after `graceMs`. */
  async terminate(graceMs = 3000): Promise<void> {
    this.#child.kill('SIGCONT')
    this.#child.kill('SIGTERM')
    await this.endWithin(graceMs)
  }

  /** Waits for it to end by itself; kills it and resolves to false when it has not after `graceMs`. */
  async endWithin(graceMs: number): Promise<boolean> {
    let isInTime = true
    const timer = setTimeout(() => {
      isInTime = false
      this.#child.kill('SIGKILL')
    }, graceMs)
    await this.#end()
    clearTimeout(timer)
    return isInTime
  }

  /** For the 'exit' handler, which cannot wait. */
  killNow(): void {
    this.#child.kill('SIGKILL')
    this.#guard.kill('SIGKILL')
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true })
  }

  async #end(): Promise<void> {
    if (!this.#isRunning) return
    // Whoever waits for the end does want the event loop to stay for it.
    this.#child.ref()
    await this.ended
  }
}

function killOwned(): void {
  for (const child of owned) child.killNow()
}

function startGuard(pid: number, dir: string | undefined): ChildProcess {
  const script = 'read -r _; kill -9 "$1" 2>/dev/null; if [ -n "$2" ]; then rm -rf -- "$2"; fi'
  const guard = spawn('sh', ['-c', script, 'guard', String(pid), dir ?? ''], {
    // A group of its own: Ctrl-C reaches us and not the guard.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => {}) // No shell: the other two guards remain.
  guard.stdin?.on('error', () => {})
  guard.unref()
  ;(guard.stdin as (NodeJS.WritableStream & { unref?(): void }) | null)?.unref?.()
  return guard
}
