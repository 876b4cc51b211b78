/** How the store's connections come, go and come back. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { RemoteStore } from '@larder/core/store'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { freePort } from '../../../../test/support/free-port.ts'
import { startProxy, type TcpProxy } from '../../../../test/support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import { at, claim, freshNamespace, HARD, listen, openStore, put } from '../../testing/stage.ts'
import { redisStore } from '../redis-store.ts'

async function ownServer(port?: number): Promise<RedisServer> {
  const server = await startRedis(port === undefined ? {} : { port })
  onTestFinished(() => server.stop())
  return server
}

async function proxyTo(server: RedisServer): Promise<TcpProxy> {
  const proxy = await startProxy(server)
  onTestFinished(() => proxy.stop())
  return proxy
}

function isServed(store: RemoteStore): () => Promise<boolean> {
  return () =>
    store.read([at('k')]).then(
      () => true,
      () => false,
    )
}

/** Takes the port, hangs up on so many connections, and gives the port back. */
async function hangUpAt(port: number, count: number): Promise<void> {
  let attempts = 0
  const deaf = createServer((socket) => {
    attempts += 1
    socket.destroy()
  })
  deaf.listen(port, '127.0.0.1')
  await eventually(`it was tried ${count} times`, () => attempts >= count)
  deaf.close()
  await once(deaf, 'close')
}

function subscriberCount(server: RedisServer, namespace: string): Promise<number> {
  return server
    .command('PUBSUB', 'CHANNELS', `${namespace}:bus:*`)
    .then((reply) => (reply as unknown[]).length)
}

describe('Redis that is not there', () => {
  it('fails calls, throws nothing, is down once, and is found when it comes', async () => {
    const port = await freePort()
    const namespace = freshNamespace()
    const store = openStore({ url: `redis://127.0.0.1:${port}` }, namespace)
    expect(store.ready).toBe(true)
    const recorder = listen(store, namespace)
    await expect(store.read([at('k')])).rejects.toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    expect(store.ready).toBe(false)
    const error = await store.claim(at('k'), claim(1)).catch((reason: unknown) => reason)
    expect(String((error as Error).cause)).toMatch(/ECONNREFUSED/)
    await eventually('it is said to be down', () => recorder.states.length > 0)
    await hangUpAt(port, 5)
    expect(recorder.states).toEqual(['down'])
    const server = await ownServer(port)
    await eventually('it is served', isServed(store))
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    expect(recorder.states.filter((state) => state === 'down')).toHaveLength(1)
    expect(store.ready).toBe(true)
    expect(await subscriberCount(server, namespace)).toBe(1)
  })

  it('is not waited for by a call of later', async () => {
    const store = openStore({ url: `redis://127.0.0.1:${await freePort()}` })
    await store.read([at('k')]).catch(() => undefined)
    const outcome = await Promise.race([
      store.sync([1]).catch(() => 'at once'),
      new Promise((resolve) => setImmediate(() => setImmediate(resolve, 'late'))),
    ])
    expect(outcome).toBe('at once')
  })

  it('prints nothing', async () => {
    const prints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')]
    const namespace = freshNamespace()
    const store = redisStore({ url: `redis://127.0.0.1:${await freePort()}` })
    store.open(namespace)
    const recorder = listen(store, namespace)
    await store.read([at('k')]).catch(() => undefined)
    await eventually('it is said to be down', () => recorder.states.includes('down'))
    await store.close()
    for (const print of prints) {
      expect(print).not.toHaveBeenCalled()
      print.mockRestore()
    }
  })
})

describe('Redis that goes away', () => {
  it('fails what is pending, is noticed, and serves again when it is back', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const store = openStore({ url: server.url }, namespace)
    const recorder = listen(store, namespace)
    await store.put(at('k'), put())
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await server.pause()
    const pending = [store.read([at('k')]), store.evict([at('k')], HARD), store.sync([1])]
    const outcomes = Promise.allSettled(pending)
    await server.kill()
    expect((await outcomes).map(({ status }) => status)).toEqual(pending.map(() => 'rejected'))
    await eventually('it is down', () => recorder.states.includes('down') && store.ready === false)
    recorder.states.length = 0
    await server.start()
    await eventually('it is served', isServed(store))
    await eventually('the engine is told to look', () => recorder.states.includes('doubt'))
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.evict([at('k')], HARD)
    await eventually('messages arrive', () => recorder.messages.length === 1)
  })

  it('runs nothing late: what failed while it was away is never sent', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url }, 'shop')
    await store.read([at('k')])
    await server.kill()
    await eventually('it is noticed', () => store.ready === false)
    for (let n = 0; n < 20; n++) await store.put(at(`${n}`), put()).catch(() => undefined)
    await server.start()
    await eventually('it is served', isServed(store))
    expect(await server.command('KEYS', '*')).toEqual(['{shop:store}'])
  })
})

describe('a connection that falls as soon as it stands', () => {
  it('is tried again after pauses that grow, not at once', async () => {
    const proxy = await proxyTo(await ownServer())
    const namespace = freshNamespace()
    const store = openStore({ url: proxy.url }, namespace)
    const recorder = listen(store, namespace)
    const upAt: number[] = []
    recorder.onUp = () => {
      upAt.push(performance.now())
      proxy.cut()
    }
    await eventually('it stood five times', () => upAt.length >= 5)
    const [first = 0, , , , fifth = 0] = upAt
    // The least that four pauses can be: half of 100, 200, 400 and 800 ms.
    expect(fifth - first).toBeGreaterThan(750)
  })
})

describe('a connection that dies without a word', () => {
  it('is replaced, be it the one for commands or the subscriber', async () => {
    const proxy = await proxyTo(await ownServer())
    const namespace = freshNamespace()
    const store = openStore({ url: proxy.url, pingEvery: '200ms' }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.read([at('k')])
    recorder.states.length = 0
    proxy.silence()
    const pending = store.read([at('k')]).catch((reason: unknown) => reason)
    expect(await pending).toBeInstanceOf(Error)
    await eventually('it is served', isServed(store))
    await eventually('it was down and is up', () => {
      return recorder.states.includes('down') && recorder.states.includes('up')
    })
    await store.evict([at('k')], HARD)
    await eventually('messages arrive', () => recorder.messages.length > 0)
  })

  it('is given up even while it connects', async () => {
    const server = await ownServer()
    const proxy = await proxyTo(server)
    proxy.blackhole(true)
    const namespace = freshNamespace()
    const store = openStore({ url: proxy.url }, namespace)
    const recorder = listen(store, namespace)
    const pending = store.read([at('k')]).catch((reason: unknown) => reason)
    expect(await pending).toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    // Not healed: connections that were begun stay dead, new ones get through.
    proxy.silence()
    proxy.blackhole(false)
    await eventually('it is served', isServed(store))
    await eventually('it is subscribed', () => recorder.states.includes('up'))
  }, 30_000)
})

describe('a server that refuses', () => {
  it('as READONLY is left for another connection', async () => {
    const proxy = await proxyTo(await ownServer())
    const store = openStore({ url: proxy.url })
    await store.put(at('k'), put())
    const before = proxy.connections()
    proxy.failCommands({
      match: ({ name }) => name.startsWith('EVAL'),
      error: "READONLY You can't write against a read only replica.",
      times: 1,
    })
    await expect(store.put(at('k'), put())).rejects.toMatchObject({
      code: 'LARDER_STORE_REFUSED',
      reason: 'readonly',
    })
    await eventually('it connects anew', () => proxy.connections() > before)
    await eventually('it takes writes', () => store.put(at('k'), put()))
  })

  it('as READONLY to many calls at once is left once, without a warning of the client library', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const proxy = await proxyTo(await ownServer())
    const store = openStore({ url: proxy.url })
    await store.put(at('k'), put())
    proxy.failCommands({
      match: ({ name }) => name.startsWith('EVAL'),
      error: "READONLY You can't write against a read only replica.",
      times: 40,
    })
    await Promise.allSettled(Array.from({ length: 40 }, (_, i) => store.put(at(`k${i}`), put())))
    await eventually('it takes writes', () => store.put(at('k'), put()))
    expect(warnings.map(({ name }) => name)).not.toContain('MaxListenersExceededWarning')
  })

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'OOM command not allowed',
    'NOPERM no',
  ])('as %s rejects the call and nothing else', async (error) => {
    const proxy = await proxyTo(await ownServer())
    const store = openStore({ url: proxy.url })
    await store.put(at('k'), put())
    const before = proxy.connections()
    const end = proxy.failCommands({ error })
    await expect(store.put(at('k'), put())).rejects.toThrow(error)
    await expect(store.read([at('k')])).rejects.toThrow(error)
    await expect(store.sync([1])).rejects.toThrow(error)
    end()
    await store.put(at('k'), put())
    expect(proxy.connections()).toBe(before)
  })

  it('the subscription leaves the store at work, and is asked again', async () => {
    const server = await ownServer()
    await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', 'resetchannels')
    const namespace = freshNamespace()
    const url = `redis://app:secret@127.0.0.1:${server.port}`
    const store = openStore({ url }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is down', () => recorder.states.includes('down'))
    expect(await store.read([at('k')])).toEqual([undefined])
    await server.command('ACL', 'SETUSER', 'app', 'allchannels')
    await eventually('it is subscribed', () => recorder.states.includes('up'))
  })
})

describe('a process', () => {
  it.each([
    ['a Redis that is there', async () => (await ownServer()).url],
    ['a Redis that is not', async () => `redis://127.0.0.1:${await freePort()}`],
  ])('ends by itself after closing a store on %s', async (_, urlOf) => {
    expect(await exitOf(await urlOf(), 'close')).toEqual({ code: 0, output: 'done\n' })
  })

  it('is not kept alive by attempts to connect', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    expect(await exitOf(url, 'leave open')).toEqual({ code: 0, output: 'done\n' })
  })
})

async function exitOf(url: string, ending: string): Promise<{ code: unknown; output: string }> {
  const program = join(import.meta.dirname, '../../testing/exits-by-itself.ts')
  const child = spawn(
    process.execPath,
    ['--conditions', 'larder-source', '--import', 'tsx', program, url, ending],
    { cwd: join(import.meta.dirname, '../../../../test'), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(20_000) })
  return { code, output }
}
