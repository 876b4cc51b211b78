/** What happens to the contestants: the same traffic each time, and one thing that goes wrong. */

import { setTimeout as delay } from 'node:timers/promises'
import type { TcpProxy } from '../../test/support/proxy/tcp-proxy.ts'
import type { RedisServer } from '../../test/support/redis/redis-server.ts'

export interface Stage {
  readonly server: RedisServer
  readonly proxy: TcpProxy
  /** How long the traffic goes on, ms. */
  readonly lastsMs: number
}

export interface Scenario {
  readonly name: string
  readonly what: string
  /** How long a load takes, ms. */
  readonly loadMs: number
  /** Begins once the traffic flows; what it broke has to be whole again when it ends. */
  disturb(stage: Stage): Promise<void>
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'steady',
    what: 'nothing goes wrong',
    loadMs: 2,
    disturb: async ({ lastsMs }) => delay(lastsMs),
  },
  {
    name: 'slow-loads',
    what: 'loads take so long that keys are evicted while they run',
    loadMs: 60,
    disturb: async ({ lastsMs }) => delay(lastsMs),
  },
  {
    name: 'lost-messages',
    what: 'pub/sub messages get lost, and nothing else',
    loadMs: 2,
    async disturb({ proxy, lastsMs }) {
      proxy.dropMessages()
      await delay(lastsMs)
      await proxy.heal()
    },
  },
  {
    name: 'hung-redis',
    what: 'Redis is stopped (SIGSTOP) for half of the time, then goes on',
    loadMs: 2,
    async disturb({ server, lastsMs }) {
      await delay(lastsMs / 4)
      await server.pause()
      await delay(lastsMs / 2)
      await server.resume()
      await delay(lastsMs / 4)
    },
  },
  {
    name: 'killed-redis',
    what: 'Redis is killed, and started anew and empty',
    loadMs: 2,
    async disturb({ server, lastsMs }) {
      await delay(lastsMs / 4)
      await server.kill()
      await delay(lastsMs / 2)
      await server.start()
      await delay(lastsMs / 4)
    },
  },
]
