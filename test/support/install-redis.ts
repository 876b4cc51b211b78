import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

/** What became of an installation. */
export type AptOutcome =
  | { readonly kind: 'installed' }
  /** Not a system on which we may install. */
  | { readonly kind: 'unfit'; readonly why: string }
  | { readonly kind: 'failed'; readonly output: string }

const run = promisify(execFile)

/**
 * Installs redis-server on Debian or Ubuntu when we are root; elsewhere it does nothing.
 * The service that the package starts is stopped again: tests start their own.
 */
export async function installRedisWithApt(): Promise<AptOutcome> {
  if (!existsSync('/etc/debian_version')) return { kind: 'unfit', why: 'not Debian or Ubuntu' }
  if (process.getuid?.() !== 0) return { kind: 'unfit', why: 'not root' }
  try {
    await install()
    await stopService()
    return { kind: 'installed' }
  } catch (error) {
    return { kind: 'failed', output: outputOf(error) }
  }
}

async function install(): Promise<void> {
  try {
    await aptGet('install', '-y', '--no-install-recommends', 'redis-server')
  } catch {
    // A fresh image has no package lists yet, an old one has links that lead nowhere.
    await aptGet('update')
    await aptGet('install', '-y', '--no-install-recommends', 'redis-server')
  }
}

async function aptGet(...args: readonly string[]): Promise<void> {
  // Two runs at once wait for each other instead of failing on the lock.
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 300_000,
    maxBuffer: 16 * 2 ** 20,
  })
}

/** There was no redis-server before, so the service that runs now is the one this installation started. */
async function stopService(): Promise<void> {
  const isSystemd = existsSync('/run/systemd/system')
  const [command, ...args] = isSystemd
    ? ['systemctl', 'disable', '--now', 'redis-server']
    : ['service', 'redis-server', 'stop']
  // A container without a service manager never started it.
  await run(command as string, args, { timeout: 30_000 }).catch(() => {})
}

/** The message of a failed command carries its stderr already. */
function outputOf(error: unknown): string {
  const { stdout = '', message = String(error) } = error as { stdout?: string; message?: string }
  return `${stdout}\n${message}`.trim().split('\n').slice(-25).join('\n')
}
