import { type Check, fail, ok, warn } from './check.ts'
import type { Examined } from './examined.ts'

const PINGS = 20
/** The usual `storeTimeout`, ms: what takes longer counts as a failure of the store. */
const STORE_TIMEOUT_MS = 250

export async function checkLatency({ inspection }: Examined): Promise<Check> {
  const times: number[] = []
  for (const server of inspection.servers()) {
    for (let i = 0; i < PINGS; i++) {
      const begun = performance.now()
      await server.ask('PING')
      times.push(performance.now() - begun)
    }
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)] ?? 0
  const slowest = times.at(-1) ?? 0
  const found = `${median.toFixed(1)} ms for an answer, ${slowest.toFixed(1)} ms the slowest of ${times.length}`
  const why = `A read that waits for longer than storeTimeout, by default ${STORE_TIMEOUT_MS} ms, goes on without the store and loads.`
  const fix =
    'Look at the network, the load of the server, and LATENCY DOCTOR; or raise storeTimeout.'
  if (median > STORE_TIMEOUT_MS / 2) return fail('latency', { found, why, fix })
  if (slowest > STORE_TIMEOUT_MS / 4) return warn('latency', { found, why, fix })
  return ok('latency', found)
}
