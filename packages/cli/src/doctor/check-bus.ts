import { randomBytes } from 'node:crypto'
import { type Check, fail, ok } from './check.ts'
import type { Examined } from './examined.ts'

const WITHIN_MS = 1_000

/** Publishes on a channel that nothing else uses, from each master, and listens. */
export async function checkBus({ inspection, namespace }: Examined): Promise<Check> {
  const channel = `${namespace}:doctor:${randomBytes(6).toString('hex')}`
  try {
    const deliveries = await inspection.probe({ channel, withinMs: WITHIN_MS })
    const lost = deliveries.filter(({ tookMs }) => tookMs === undefined)
    const slowest = Math.max(...deliveries.map(({ tookMs = 0 }) => tookMs))
    if (lost.length === 0) return ok('bus', `a message arrives within ${slowest.toFixed(1)} ms`)
    return fail('bus', {
      found: `nothing arrived within ${WITHIN_MS} ms from ${lost.map(({ address }) => address).join(', ')}`,
      why: 'Nodes hear of evictions only when they ask, up to maxStaleness later.',
      fix: 'Check whether something between here and the server blocks pub/sub.',
    })
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    if (!/^[A-Z]{2,}/.test(words)) throw error
    return fail('bus', {
      found: `The server refuses to publish or to subscribe: ${words}`,
      why: 'Nodes hear of evictions only when they ask, up to maxStaleness later.',
      fix: `ACL SETUSER NAME +subscribe +publish &${namespace}:*`,
    })
  }
}
