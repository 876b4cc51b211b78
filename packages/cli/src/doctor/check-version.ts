import { type Check, fail, ok, unknown, warn } from './check.ts'
import type { Examined } from './examined.ts'

const OLDEST = [6, 2] as const

export async function checkVersion({ inspection }: Examined): Promise<Check> {
  const infos = await Promise.all(inspection.servers('all').map((server) => server.info('server')))
  const said = infos.map((info) => ({
    name: info.get('server_name') ?? 'redis',
    version: info.get('valkey_version') ?? info.get('redis_version'),
    speaks: info.get('redis_version'),
  }))
  const [first] = said
  if (first?.speaks === undefined) return unknown('version', 'The server does not say its version.')
  const found = [...new Set(said.map(({ name, version }) => `${name} ${version}`))].join(', ')
  const tooOld = said.some(({ speaks }) => speaks === undefined || !isEnough(speaks))
  if (tooOld) {
    return fail('version', {
      found,
      why: 'The scripts use commands of Redis 6.2.',
      fix: 'Use Redis 6.2 or newer, or Valkey.',
    })
  }
  if (new Set(said.map(({ version }) => version)).size > 1) {
    return warn('version', {
      found,
      why: 'A failover changes what the server can do.',
      fix: 'Bring all servers to one version.',
    })
  }
  return ok('version', found)
}

function isEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}
