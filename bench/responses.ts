/** What does a response in the cache cost: bytes in Redis, commands for each request, and requests in a second? */

import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { httpCache } from '@larder/plugins/express'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { line } from './report.ts'

const BODY = 'x'.repeat(4_096)
const CALLERS = 32
/** Of Redis: what is sent for reads and scripts. */
const COMMANDS = ['mget', 'get', 'evalsha']

/** Prints a line for each of them. */
export async function responses({
  url,
  isQuick,
}: {
  readonly url: string
  readonly isQuick: boolean
}): Promise<void> {
  const namespace = `bench-responses-${process.pid}`
  const client = new Redis(url)
  const [one, other] = [await serve(url, namespace), await serve(url, namespace)]
  try {
    await counts({ one, other, client, namespace })
    await speed(one, isQuick ? 2_000 : 20_000)
  } finally {
    await one.close()
    await other.close()
    client.disconnect()
  }
}

interface Server {
  get(path: string): Promise<void>
  close(): Promise<void>
}

/** A server of one route with the cache, and a route without it. */
async function serve(url: string, namespace: string): Promise<Server> {
  const remote = redisStore({ url })
  const caches = createCacheManager({ namespace, local: lruStore(), remote, default: false })
  await caches.ready()
  const cache = httpCache({ caches, ttl: '1h' })
  const server = createServer((incoming, response) => {
    const render = (): void => {
      response.setHeader('Content-Type', 'text/plain')
      response.end(BODY)
    }
    if (incoming.url === '/plain') render()
    else cache(incoming as never, response, render)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const asking = request({ port, host: '127.0.0.1', path, agent }, (incoming) => {
          incoming.resume()
          incoming.on('end', resolve)
        })
        asking.on('error', reject)
        asking.end()
      }),
    async close() {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await caches.close()
    },
  }
}

async function counts({
  one,
  other,
  client,
  namespace,
}: {
  readonly one: Server
  readonly other: Server
  readonly client: Redis
  readonly namespace: string
}): Promise<void> {
  const sent = async (): Promise<number> => {
    const stats = await client.info('commandstats')
    const calls = COMMANDS.map(
      (name) => new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1],
    )
    return calls.reduce((sum, n) => sum + Number(n ?? 0), 0)
  }
  const count = async (work: () => Promise<void>): Promise<number> => {
    const before = await sent()
    await work()
    return (await sent()) - before
  }
  await one.get('/warm')
  const words = {
    'a render': await count(() => one.get('/a')),
    'the first hit of another node': await count(() => other.get('/a')),
    'a hit in process': await count(() => other.get('/a')),
  }
  const said = Object.entries(words).map(([name, n]) => `${name} ${n}`)
  line('')
  line(`responses: commands of a request, with what follows behind it: ${said.join(', ')}`)
  const keys = await client.keys(`*${namespace}*GET*`)
  const bytes = keys.length === 0 ? 0 : await client.strlen(keys[0] ?? '')
  line(`responses: ${BODY.length} bytes of body are an entry of ${bytes}`)
}

async function speed(server: Server, requests: number): Promise<void> {
  const perSecond = async (path: string): Promise<number> => {
    const begun = performance.now()
    const loop = async (): Promise<void> => {
      for (let i = 0; i < requests / CALLERS; i += 1) await server.get(path)
    }
    await Promise.all(Array.from({ length: CALLERS }, loop))
    return Math.round((requests / (performance.now() - begun)) * 1_000)
  }
  const plain = await perSecond('/plain')
  const hit = await perSecond('/a')
  line(
    `responses: ${CALLERS} callers of this process: ${hit} hits and ${plain} answers without cache in a second`,
  )
}
