/** The example runs as its page says: started as a program, called over HTTP, ended by a signal. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { type Answer, ask } from './support/apps.ts'
import { redisUrl } from './support/redis.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'nest')

async function startShop(env: NodeJS.ProcessEnv): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    ['--conditions=larder-source', '--import', 'tsx', 'main.ts'],
    {
      cwd: FOLDER,
      env: { ...process.env, NODE_OPTIONS: '', PORT: '0', NAMESPACE: freshNamespace(), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /listens at (http:\S+)/.exec(line) ?? []
    if (url !== undefined) return { url, child }
  }
  throw new Error(`The shop ended with ${child.exitCode}`)
}

// The example is an application of one major, and starts in seconds: once is enough.
it.runIf(process.env['NEST'] === '12')(
  'the shop of the example',
  { timeout: 120_000 },
  async () => {
    const shop = await startShop({ REDIS_URL: redisUrl() })
    const get = (path: string): Promise<Answer> => ask(shop.url + path)
    for (let i = 0; i < 2; i++)
      expect((await get('/products/1')).body).toEqual({ id: '1', name: 'tea', price: 10, loads: 1 })
    await fetch(`${shop.url}/products/1/price/12`, { method: 'PUT' })
    expect((await get('/products/1')).body).toMatchObject({ price: 12, loads: 2 })
    expect((await get('/products/9')).status).toBe(404)
    for (let i = 0; i < 5; i++) expect((await get('/products?like=te')).status).toBe(200)
    const refused = await get('/products?like=te')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await get('/health')).body).toMatchObject({ status: 'ok' })
    shop.child.kill('SIGTERM')
    const [code, signal] = (await once(shop.child, 'exit')) as [number | null, string | null]
    // Nest ends the process by the signal again when all hooks have run.
    expect([code, signal]).toEqual([null, 'SIGTERM'])
  },
)
