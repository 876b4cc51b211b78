/**
 * The last resort of the search for a Redis: Debian's package, installed by apt-get.
 *
 * Nobody should be surprised by it. So it says beforehand, in one line, what it installs and why; one variable forbids
 * it; and a server that ran before, or a service that was set up before, is left as it was.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

/** What became of an installation. */
export type AptOutcome =
  | { readonly kind: 'installed' }
  /** Not a system on which we may install. */
  | { readonly kind: 'unfit'; readonly why: string }
  | { readonly kind: 'failed'; readonly output: string }

/** What an installation asks of the machine, and does to it; tests of it answer for themselves. */
export interface AptMachine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isDebian: boolean
  readonly isRoot: boolean
  readonly hasSystemd: boolean
  /** Runs a command and returns what it prints; rejects when it exits with anything but 0. */
  readonly run: (command: string, ...args: readonly string[]) => Promise<string>
  readonly say: (line: string) => void
}

/** Set to anything but 1, true or yes, it forbids to install system packages. */
export const MAY_INSTALL = 'LARDER_INSTALL'

const ANNOUNCEMENT =
  'The tests start Redis servers of their own and found none: installing the system package redis-server with apt-get ' +
  `(${MAY_INSTALL}=0 forbids this).`

/** The package, and the service that it sets up. */
const SERVICE = 'redis-server'
/** For dpkg-query: `installed`, or `config-files` where it was removed. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in.
const STATUS = '${db:Status-Status}'

/** Installs redis-server on Debian or Ubuntu when we are root and may; elsewhere it does nothing. */
export async function installRedisWithApt(
  machine: AptMachine = thisMachine(),
): Promise<AptOutcome> {
  const why = await whyNot(machine)
  if (why !== undefined) return { kind: 'unfit', why }
  machine.say(ANNOUNCEMENT)
  try {
    const before = await stateOfService(machine)
    await install(machine)
    await quieten(machine, before)
    return { kind: 'installed' }
  } catch (error) {
    return { kind: 'failed', output: outputOf(error) }
  }
}

async function whyNot({ env, isDebian, isRoot, run }: AptMachine): Promise<string | undefined> {
  if (!isDebian) return 'not Debian or Ubuntu'
  if (!isRoot) return 'not root'
  const said = env[MAY_INSTALL] ?? ''
  if (!['', '1', 'true', 'yes'].includes(said.toLowerCase()))
    return `forbidden by ${MAY_INSTALL}=${said}`
  // Then apt-get could at most replace it by a newer one, and restart somebody's server for that.
  const state = await run('dpkg-query', '--show', '--showformat', STATUS, SERVICE).catch(() => '')
  return state === 'installed' ? 'installed already, but not on PATH' : undefined
}

async function install({ run }: AptMachine): Promise<void> {
  // Two runs at once wait for each other instead of failing on the lock.
  const aptGet = (...args: readonly string[]): Promise<string> =>
    run('apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args)
  const installation = ['install', '-y', '--no-install-recommends', '--no-upgrade', SERVICE]
  try {
    await aptGet(...installation)
  } catch {
    // A fresh image has no package lists yet, an old one has links that lead nowhere.
    await aptGet('update')
    await aptGet(...installation)
  }
}

type ServiceState = 'absent' | 'stopped' | 'running'

/** Whether the machine had a service of this name, from wherever, before this installation. */
async function stateOfService({ hasSystemd, run }: AptMachine): Promise<ServiceState> {
  if (!hasSystemd)
    return (await succeeds(run('service', SERVICE, 'status'))) ? 'running' : 'stopped'
  if (await succeeds(run('systemctl', 'is-active', '--quiet', SERVICE))) return 'running'
  return (await succeeds(run('systemctl', 'cat', SERVICE))) ? 'stopped' : 'absent'
}

/** Debian starts the service of a package it installs, for good. Tests start their own, so only that start is undone. */
async function quieten({ hasSystemd, run }: AptMachine, before: ServiceState): Promise<void> {
  if (before === 'running') return
  const stop = hasSystemd
    ? run('systemctl', ...(before === 'absent' ? ['disable', '--now'] : ['stop']), SERVICE)
    : run('service', SERVICE, 'stop')
  // A container without a service manager never started it.
  await succeeds(stop)
}

function succeeds(command: Promise<unknown>): Promise<boolean> {
  return command.then(
    () => true,
    () => false,
  )
}

/** The message of a failed command carries its stderr already. */
function outputOf(error: unknown): string {
  const { stdout = '', message = String(error) } = error as { stdout?: string; message?: string }
  return `${stdout}\n${message}`.trim().split('\n').slice(-25).join('\n')
}

function thisMachine(): AptMachine {
  const run = promisify(execFile)
  return {
    env: process.env,
    isDebian: existsSync('/etc/debian_version'),
    isRoot: process.getuid?.() === 0,
    hasSystemd: existsSync('/run/systemd/system'),
    say: (line) => void process.stderr.write(`${line}\n`),
    run: async (command, ...args) => {
      const { stdout } = await run(command, args, {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        timeout: 300_000,
        maxBuffer: 16 * 2 ** 20,
      })
      return stdout
    },
  }
}
