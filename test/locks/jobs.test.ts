/** Jobs whose next step is to take a lock: each ends with an answer, never in the middle without one. */

import { execFile } from 'node:child_process'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { freshNamespace } from '../support/nodes.ts'
import { sourceRunner } from '../support/process/source-runner.ts'

const JOB = new URL('./job.ts', import.meta.url).pathname

interface Ending {
  readonly code: number | string | null
  readonly said: string
}

/** Runs a job to its end. */
function run(...args: readonly string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...sourceRunner(), JOB, ...args], (error, stdout) => {
      resolve({ code: error === null ? 0 : (error.code ?? null), said: stdout.trim() })
    })
  })
}

it.each(['locks', 'quorum'])(
  'with %s on servers that are away, fails and says so',
  async (kind) => {
    const port = await freePort()
    expect(await run(kind, freshNamespace(), `redis://127.0.0.1:${port}`)).toEqual({
      code: 1,
      said: 'failed: LockUnavailableError',
    })
  },
  60_000,
)

it.each(['turn', 'fall-back', 'close'])(
  'that wait within the process get there: %s',
  async (kind) => {
    const port = await freePort()
    expect(await run(kind, freshNamespace(), `redis://127.0.0.1:${port}`)).toEqual({
      code: 0,
      said: 'all steps ran',
    })
  },
  60_000,
)
