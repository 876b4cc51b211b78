import type { InspectedServer } from '@larder/redis-store/inspect'
import { sizeOf } from '../output/units.ts'
import { type Check, fail, ok, unknown, warn, worstOf } from './check.ts'
import type { Examined } from './examined.ts'
import { numberIn } from './numbers.ts'

const NEARLY_FULL = 0.9

export async function checkMemory({ inspection }: Examined): Promise<Check> {
  const checks = await Promise.all(inspection.servers().map(memoryOf))
  return worstOf(checks)
}

async function memoryOf(server: InspectedServer): Promise<Check> {
  const info = await server.info('memory')
  const used = numberIn(info, 'used_memory')
  const most = numberIn(info, 'maxmemory')
  const policy = info.get('maxmemory_policy')
  if (used === undefined || most === undefined) {
    return unknown('memory', 'The server does not say how much it may use.')
  }
  const found = `${sizeOf(used)} used of ${most === 0 ? 'no limit' : sizeOf(most)}, ${policy ?? 'unknown policy'}`
  if (most === 0) {
    return warn('memory', {
      found,
      why: 'A cache grows until the machine has no memory left.',
      fix: 'Set maxmemory, and maxmemory-policy allkeys-lfu for a cache.',
    })
  }
  const isRefusing = policy === 'noeviction'
  if (isRefusing && used > most * NEARLY_FULL) {
    return fail('memory', {
      found,
      why: 'Writes are refused when it is full.',
      fix: 'Raise maxmemory, or set maxmemory-policy allkeys-lfu for a cache.',
    })
  }
  if (isRefusing) {
    return warn('memory', {
      found,
      why: 'This is right for locks, limits, sessions, queues and streams. When a cache fills the memory, its writes are refused.',
      fix: 'Give what must not be lost a server of its own, and set allkeys-lfu on that of the cache.',
    })
  }
  return ok(
    'memory',
    `${found}: locks, limits, sessions, queues and streams need a server that does not evict`,
  )
}
