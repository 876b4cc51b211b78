/** Runs a command in the foreground; a command that fails ends this process with its exit code. */

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutOuterCall } from './environment.mjs'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

const FROM_SOURCE = ['--conditions=larder-source', '--import', 'tsx']

/** Runs a TypeScript program of a workspace folder, with the packages read from their sources. */
export function node(folder, script, ...args) {
  return execute(process.execPath, [...FROM_SOURCE, script, ...args], { cwd: join(ROOT, folder) })
}

/** Runs a command that the root's dev-dependencies provide. */
export function tool(name, args) {
  return execute(join(ROOT, 'node_modules', '.bin', name), args)
}

/** Runs pnpm at the version that package.json pins. */
export function pnpm(args, options) {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return execute('npx', ['--yes', packageManager, ...args], options)
}

export function execute(command, args, { cwd = ROOT, stdout = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: withoutOuterCall(process.env),
      stdio: ['inherit', stdout, 'inherit'],
      shell: process.platform === 'win32',
    })
    const stopForwarding = forwardSignals(child)
    child.on('error', (error) => fail(`${command} could not be started: ${error.message}`))
    child.on('exit', (status, signal) => {
      stopForwarding()
      if (status === 0) resolve()
      else process.exit(status ?? 128 + constants.signals[signal])
    })
  })
}

/** The child stops first and this process after it, or a Redis that the child started would be left behind. */
function forwardSignals(child) {
  // A terminal's Ctrl+C reaches the child by itself; a second one would cut its cleaning up short.
  const onInterrupt = () => {}
  const onTerminate = () => child.kill('SIGTERM')
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
  return () => process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
}

export function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
