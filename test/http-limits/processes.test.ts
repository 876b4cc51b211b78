/** R1 and R5 through HTTP, with servers in several processes on one Redis, one of which is killed. */

import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { worker } from './servers.worker.ts'
import { as, ask } from './support/client.ts'

const KINDS = ['express', 'fastify', 'hono'] as const

type ServerProcess = WorkerProcess<typeof worker>

/** One server of each framework, in a process of its own. */
async function startServers(): Promise<readonly { process: ServerProcess; url: string }[]> {
  const init = { namespace: freshNamespace(), store: { url: inject('redisUrl') } }
  const servers = await Promise.all(
    KINDS.map(async (kind) => {
      const url = new URL('./servers.worker.ts', import.meta.url)
      const process = await startWorker<typeof worker>(url, init)
      return { process, url: await process.call('listen', kind) }
    }),
  )
  onTestFinished(async () => {
    await Promise.all(servers.map(({ process }) => process.stop()))
  })
  return servers
}

describe('servers of all frameworks, in processes of their own', () => {
  it('serve the limit together, and not one request more', async () => {
    const servers = await startServers()
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, i) => ask(`${servers[i % 3]?.url}/limited`, as('a'))),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(70)
  }, 60_000)

  it('permits of one that is killed are free after their lease', async () => {
    const [killed, other] = await startServers()
    if (killed === undefined || other === undefined) throw new Error('three were started')
    const free = () => other.process.call('free', 'a')
    const lost = ask(`${killed.url}/hold`, as('a')).catch(() => undefined)
    await eventually('it holds its permit', async () => (await free()) === 0)
    expect((await ask(`${other.url}/hold?free`, as('a'))).status).toBe(429)
    await killed.process.kill()
    await lost
    await eventually('the permit is free', async () => (await free()) === 1, 30_000)
    expect((await ask(`${other.url}/hold?free`, as('a'))).status).toBe(200)
  }, 60_000)
})
