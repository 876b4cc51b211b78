/** Permits and turns on connections that close early, are kept, or carry several requests at once. */

import { connect, type Socket } from 'node:net'
import type { CacheManager, Limiter } from '@larder/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { as, ask } from './support/client.ts'
import { type AnyRequest, FRAMEWORKS } from './support/frameworks.ts'
import { PATIENT, STORES, startLocal } from './support/stores.ts'

const byUser = (request: AnyRequest): string => `user:${request.header('x-user') ?? 'nobody'}`

const left = async (limiter: Limiter, key = 'user:a'): Promise<number> =>
  (await limiter.peek(key, 0)).remaining

const slotsOf = (caches: CacheManager, limit = 1): Limiter =>
  caches.limiter({ ...PATIENT, name: 'slots', limit, algorithm: 'concurrency', lease: '1h' })

/** A connection of plain text, which ends with the test. */
async function dial(port: number): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { socket, text: () => text }
}

const get = (path: string, user = 'a'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nX-User: ${user}\r\n\r\n`

describe.each(FRAMEWORKS)('$name', (framework) => {
  describe.each(STORES)('%s', (_, start) => {
    it('a permit lasts as long as the response, and is free after it', async () => {
      const limiter = slotsOf(start())
      const { url, handler } = await framework.start({ limiter, key: byUser })
      const held = ask(`${url}/hold/one`, as('a'))
      await eventually('the handler runs', () => handler.served.length === 1)
      const refused = await ask(`${url}/ok`, as('a'))
      expect(refused.status).toBe(429)
      expect(refused.policies).toEqual([{ name: 'slots', q: 1, qu: 'concurrent-requests' }])
      handler.gate('one').resolve()
      expect((await held).body).toBe('one')
      await eventually('the permit is free', async () => (await left(limiter)) === 1)
      expect((await ask(`${url}/ok`, as('a'))).status).toBe(200)
    })

    it('a permit is free when its client leaves, before the response and in the middle of it', async () => {
      const limiter = slotsOf(start())
      const { url, handler } = await framework.start({ limiter, key: byUser })
      for (const path of ['/hold/x', '/stream/x']) {
        const client = new AbortController()
        const asked = fetch(url + path, { ...as('a'), signal: client.signal }).then((response) =>
          response.text(),
        )
        await eventually('the handler runs', () => handler.served.includes(path))
        expect(await left(limiter)).toBe(0)
        client.abort()
        await expect(asked).rejects.toThrow()
        await eventually('the permit is free', async () => (await left(limiter)) === 1)
      }
      handler.gate('x').resolve()
    })

    it('R12: a client that leaves while it waits gives its turn back, and its request is not run', async () => {
      const limiter = start().limiter({
        ...PATIENT,
        name: 'turns',
        limit: 1,
        per: '20m',
        maxWait: '50m',
      })
      const { url, handler } = await framework.start({ limiter, key: byUser })
      expect((await ask(`${url}/ok`, as('a'))).status).toBe(200)
      const before = (await limiter.peek('user:a')).waitedMs
      const client = new AbortController()
      const waiting = fetch(`${url}/status/200`, { ...as('a'), signal: client.signal })
      const hasTurn = async () => (await limiter.peek('user:a')).waitedMs > before + 600_000
      await eventually('its turn is reserved', hasTurn)
      client.abort()
      await expect(waiting).rejects.toThrow()
      await eventually('its turn is given back', async () => !(await hasTurn()))
      expect(handler.served).toEqual(['/ok'])
    })
  })

  it('a stream keeps its permit until its last byte', async () => {
    const limiter = slotsOf(startLocal())
    const { url, handler } = await framework.start({ limiter, key: byUser })
    const response = await fetch(`${url}/stream/s`, as('a'))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    expect(await left(limiter)).toBe(0)
    handler.gate('s').resolve()
    while (!(await reader.read()).done);
    await eventually('the permit is free', async () => (await left(limiter)) === 1)
  })

  it('a request that ran counts, also where its client leaves before the response and a refund would follow', async () => {
    const caches = startLocal()
    const rate = caches.limiter({ name: 'rate', limit: 5, per: '1h' })
    const slots = slotsOf(caches)
    const { url, handler } = await framework.start({
      limits: [
        { limiter: rate, key: byUser },
        { limiter: slots, key: byUser },
      ],
      refundIf: () => true,
    })
    const client = new AbortController()
    const asked = fetch(`${url}/hold/x`, { ...as('a'), signal: client.signal })
    await eventually('the handler runs', () => handler.served.length === 1)
    client.abort()
    await expect(asked).rejects.toThrow()
    await eventually('the request is over', async () => (await left(slots)) === 1)
    expect(await left(rate)).toBe(4)
    handler.gate('x').resolve()
    // Of one that is read, nothing counts in the end.
    await ask(`${url}/ok`, as('a'))
    await eventually('it is given back', async () => (await left(rate)) === 4)
  })

  it('a permit is free when the handler throws', async () => {
    const limiter = slotsOf(startLocal())
    const { url } = await framework.start({ limiter, key: byUser })
    for (let i = 0; i < 3; i++) {
      expect((await ask(`${url}/throw`, as('a'))).status).toBe(500)
      await eventually('the permit is free', async () => (await left(limiter)) === 1)
    }
  })

  it('requests of a kept connection are counted one by one', async () => {
    const limiter = startLocal().limiter({ limit: 2, per: '1h' })
    const { port } = await framework.start({ limiter, key: byUser })
    const { socket, text } = await dial(port)
    for (const [i, status] of [200, 200, 429].entries()) {
      socket.write(get('/ok'))
      const statuses = () =>
        [...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code))
      await eventually('the response is there', () => statuses().length === i + 1)
      expect(statuses().at(-1)).toBe(status)
    }
  })

  it('requests that are pipelined are counted, answered in order, and their permits end', async () => {
    const caches = startLocal()
    const rate = caches.limiter({ name: 'rate', limit: 3, per: '1h' })
    const slots = slotsOf(caches, 10)
    const { port } = await framework.start({
      limits: [
        { limiter: rate, key: byUser },
        { limiter: slots, key: byUser },
      ],
    })
    const { socket, text } = await dial(port)
    socket.write(get('/ok').repeat(5))
    const statuses = () => [...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code))
    await eventually('all are answered', () => statuses().length === 5)
    expect(statuses().toSorted()).toEqual([200, 200, 200, 429, 429])
    await eventually('no permit is left', async () => (await left(slots)) === 10)
  })

  it('permits of requests that are pipelined behind others are free when the connection closes', async () => {
    const limiter = slotsOf(startLocal(), 20)
    const { port, handler } = await framework.start({ limiter, key: byUser })
    const { socket } = await dial(port)
    socket.write(get('/hold/first') + get('/hold/behind').repeat(14))
    await eventually('all of them run', async () => (await left(limiter)) === 5)
    socket.destroy()
    await eventually('all permits are free', async () => (await left(limiter)) === 20)
    handler.gate('first').resolve()
    handler.gate('behind').resolve()
  })

  it('closing the manager ends the waiting of requests with 503', async () => {
    const caches = startLocal()
    const limiter = caches.limiter({ limit: 1, per: '1h', maxWait: '1h' })
    const { url } = await framework.start({ limiter, key: byUser })
    await ask(`${url}/ok`, as('a'))
    const waiting = ask(`${url}/ok`, as('a'))
    await eventually('it waits', async () => (await limiter.peek('user:a')).allowed === false)
    await caches.close()
    expect((await waiting).status).toBe(503)
  })
})
