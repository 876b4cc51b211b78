/** Three processes over one Redis, by way of a proxy: one is stopped for longer than its leases last, one is killed. */

import { expect, onTestFinished } from 'vitest'
import { startProxy, type TcpProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { type ProcessHistory, startHistory, testHistory } from './process-history.ts'

interface Stage {
  readonly history: ProcessHistory
  readonly proxy: TcpProxy
}

async function startStage(seed: number): Promise<Stage> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startProxy(server)
  onTestFinished(() => proxy.stop())
  const history = await startHistory({ kind: 'standalone', url: proxy.url }, seed)
  return { history, proxy }
}

testHistory('a process is stopped while it loads, then one is killed', async ({ seed }) => {
  const { history } = await startStage(seed)
  await history.stopWhileItLoads(0)
  await history.goOn()
  await history.killWhileItLoads(1)
  await history.goOn()
  await history.judge('standalone: a process stopped, one killed')
})

testHistory('a process is stopped while messages get lost', async ({ seed }) => {
  const { history, proxy } = await startStage(seed)
  proxy.dropMessages()
  await history.stopWhileItLoads(0)
  await history.goOn()
  expect(proxy.messagesDropped()).toBeGreaterThan(0)
  await proxy.heal()
  await history.judge('standalone: a process stopped while messages get lost')
})
