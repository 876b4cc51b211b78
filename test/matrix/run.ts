/** Runs a command and keeps what it prints, to be shown when it fails. */

import { spawn } from 'node:child_process'

/** The command ended with something else than 0; the message holds what it printed. */
export class CommandError extends Error {}

/** No command takes that long; one that hangs is to fail. */
const MOST_MS = 300_000

export function run(
  command: string,
  args: readonly string[],
  how: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> | undefined },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: how.cwd,
      env: { ...inherited(), ...how.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      timeout: MOST_MS,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else {
        const line = [command, ...args].join(' ')
        reject(new CommandError(`${line} ended with ${code ?? signal}:\n${output}`))
      }
    })
  })
}

/** Projects outside know nothing of how this repository is run: no condition, no loader. */
function inherited(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, ...rest } = process.env
  const isOurs = /^npm_(lifecycle|package|command|execpath)|^npm_config_local_prefix$/i
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !isOurs.test(name)))
}
