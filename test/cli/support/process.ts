/** Calls of `larder` as a process of its own, run from its sources. */

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { sourceRunner } from '../../support/process/source-runner.ts'
import { type Called, resultOf } from './larder.ts'

const BIN = join(import.meta.dirname, '../../../packages/cli/src/bin.ts')

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Called>
}

/** Starts it; `behind` is what the shell does with its output: `| head -n 1`. */
export function startLarder(args: readonly string[], namespace: string, behind = ''): Running {
  const words = [process.execPath, ...sourceRunner(), BIN, ...args].map((word) => `'${word}'`)
  // The code of the program is printed, because a shell tells that of the last one only.
  const line =
    behind === ''
      ? `exec ${words.join(' ')}`
      : `{ ${words.join(' ')}; echo "code $?" >&2; } ${behind}`
  const child = spawn('sh', ['-c', line], {
    env: { ...process.env, LARDER_URL: inject('redisUrl'), LARDER_NAMESPACE: namespace },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Called>((resolve) => {
    child.on('close', (code, signal) => {
      const said = /code (\d+)\n/.exec(stderr)?.[1]
      resolve(resultOf(Number(said ?? code ?? (signal === null ? 1 : 128)), stdout, stderr))
    })
  })
  return { child, ended }
}
