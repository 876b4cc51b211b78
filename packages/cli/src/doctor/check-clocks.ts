import { type Check, ok, warn } from './check.ts'
import type { Examined } from './examined.ts'

const FAR_APART_MS = 1_000

/** Compares the clocks of all servers. It also shows the clock of this machine, on which nothing depends. */
export async function checkClocks({ inspection }: Examined): Promise<Check> {
  const offsets: number[] = []
  for (const server of inspection.servers('all')) {
    const begun = Date.now()
    const serverMs = await server.nowMs()
    offsets.push(serverMs - (begun + Date.now()) / 2)
  }
  const apart = Math.max(...offsets) - Math.min(...offsets)
  const here = `${Math.round(offsets[0] ?? 0)} ms ahead of this machine`
  if (offsets.length === 1) return ok('clocks', here)
  const found = `${offsets.length} servers, ${Math.round(apart)} ms apart; ${here}`
  if (apart <= FAR_APART_MS) return ok('clocks', found)
  return warn('clocks', {
    found,
    why: 'After a failover to a server whose clock is behind, keys are loaded anew until it has caught up.',
    fix: 'Run a time service (NTP) on all servers.',
  })
}
