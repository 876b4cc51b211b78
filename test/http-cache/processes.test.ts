/** The cache for responses with servers in processes of their own, on one Redis. */

import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker } from '../support/process/worker.ts'
import type { worker } from './pages.worker.ts'
import { ask } from './support/ask.ts'

async function startServers() {
  const init = { namespace: freshNamespace(), store: { url: inject('redisUrl') } }
  const module = new URL('./pages.worker.ts', import.meta.url)
  const servers = await Promise.all(
    ['one', 'other'].map(async (name) => {
      const process = await startWorker<typeof worker>(module, { ...init, name })
      return { process, port: await process.call('listen') }
    }),
  )
  onTestFinished(async () => {
    await Promise.all(servers.map(({ process }) => process.stop()))
  })
  return servers
}

it('two processes render a page once, and both see its eviction', async () => {
  const servers = await startServers()
  const rendered = async (): Promise<number> => {
    const counts = await Promise.all(servers.map(({ process }) => process.call('rendered')))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  const askAll = (times: number) =>
    Array.from({ length: times }, (_, i) => ask(servers[i % 2]?.port ?? 0, { path: '/page' }))
  const waiting = askAll(20)
  await eventually('it renders', async () => (await rendered()) === 1)
  for (const { process } of servers) await process.call('render')
  const bodies = (await Promise.all(waiting)).map(({ body }) => body)
  expect(new Set(bodies).size).toBe(1)
  expect(await rendered()).toBe(1)

  await servers[0]?.process.call('evict', '/page')
  await ask(servers[0]?.port ?? 0, { path: '/page' })
  expect(await rendered(), 'the next request of the one that evicted').toBe(2)
  await eventually('the other one serves what was rendered after the eviction', async () => {
    const answers = await Promise.all(askAll(2))
    return new Set(answers.map(({ headers }) => headers.etag)).size === 1
  })
  expect(await rendered()).toBe(2)
}, 60_000)
