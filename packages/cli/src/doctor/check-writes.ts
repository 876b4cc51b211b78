import { randomBytes } from 'node:crypto'
import { type InspectedServer, refusalOf } from '@larder/redis-store/inspect'
import { type Check, fail, ok, worstOf } from './check.ts'
import type { Examined } from './examined.ts'

/** When the key expires if it could not be removed, ms. */
const FORGOTTEN_AFTER_MS = '5000'
/** How many names are tried to find one that a server of a Cluster serves. */
const MOST_NAMES = 2_000

/** Writes and removes a key that nothing else uses, on each master. */
export async function checkWrites({ inspection, namespace }: Examined): Promise<Check> {
  const checks: Check[] = []
  for (const server of inspection.servers()) checks.push(await tryWrite(server, namespace))
  return worstOf(checks)
}

async function tryWrite(server: InspectedServer, namespace: string): Promise<Check> {
  for (let left = MOST_NAMES; left > 0; left--) {
    const key = `{${namespace}:doctor:${randomBytes(6).toString('hex')}}`
    try {
      await server.ask('SET', key, '1', 'PX', FORGOTTEN_AFTER_MS, 'NX')
      await server.ask('UNLINK', key)
      return ok('writes', `${server.address} takes them`)
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      if (/^(MOVED|ASK) /.test(words)) continue
      const refusal = refusalOf(error)
      if (refusal === undefined && !/^[A-Z]{2,}/.test(words)) throw error
      return fail('writes', {
        found: `${server.address} refuses them: ${words}`,
        why: 'Evictions wait until the server takes writes, and until then nothing is shared.',
        fix: FIXES[refusal ?? ''] ?? 'Look at what the server answered.',
      })
    }
  }
  return ok('writes', `${server.address} serves no slot`)
}

const FIXES: Readonly<Record<string, string>> = {
  readonly: 'Give the address of the master, or let Sentinel or a Cluster find it.',
  'not-durable':
    'The last snapshot failed: repair the disk, or set stop-writes-on-bgsave-error no.',
  replicas: 'Bring the replicas back, or lower min-replicas-to-write.',
  full: 'Raise maxmemory, or set an evicting maxmemory-policy.',
  rights: 'Give the user the rights that the check of rights lists.',
  loading: 'Wait until it has loaded.',
  cluster: 'See CLUSTER INFO.',
}
