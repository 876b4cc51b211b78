/** What the cache for responses promises beyond keeping secrets, on real servers of each framework, with nodes on a real Redis. */

import { httpCache } from '@larder/plugins/express'
import { describe, expect, it } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { startNode, startPair, untilVerified } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { ask, asking, statusOf } from './support/ask.ts'
import { type AnyCache, FRAMEWORKS, type Render } from './support/frameworks.ts'

const KEPT = { 'Cache-Control': 'max-age=60' }

describe.each(FRAMEWORKS)('$name', (framework) => {
  async function start(render: Render, options: AnyCache = {}, node = startNode()) {
    const renders: string[] = []
    const { port } = await framework.start({
      caches: node.caches,
      options,
      render: (seen) => {
        renders.push(seen.path)
        return render(seen)
      },
    })
    return {
      port,
      node,
      renders,
      get: (path: string, headers = {}) => ask(port, { path, headers }),
      post: (path: string) => ask(port, { method: 'POST', path }),
    }
  }

  describe('one render', () => {
    it('serves all who wait, on two nodes', async () => {
      const nodes = await startPair()
      const gate = deferred()
      let made = 0
      const render = async () => {
        made += 1
        await gate.promise
        return { headers: KEPT, body: `${made}` }
      }
      const servers = [
        await start(render, {}, nodes[0]),
        await start(render, {}, nodes[1]),
      ] as const
      const waiting = Array.from({ length: 20 }, (_, i) => servers[i % 2]?.get('/a'))
      await eventually('it renders', () => made === 1)
      gate.resolve()
      const answers = await Promise.all(waiting)
      expect(answers.map((answer) => answer?.body)).toEqual(new Array(20).fill('1'))
      expect(made).toBe(1)
      const later = await servers[0].get('/a')
      expect(statusOf(later)).toMatch(/^larder; hit; ttl=\d+$/)
    })

    it('goes on for the others when the client it began for leaves', async () => {
      const gate = deferred()
      let made = 0
      const { port, renders, get } = await start(async () => {
        const own = ++made
        if (own === 1) await gate.promise
        return { headers: KEPT, body: `${own}` }
      })
      const { client, answer } = asking(port, { path: '/a' })
      answer.catch(() => undefined)
      await eventually('it renders', () => renders.length === 1)
      const others = [get('/a'), get('/a')]
      client.destroy()
      await expect(answer).rejects.toThrow()
      gate.resolve()
      expect((await Promise.all(others)).map(({ body }) => body)).toEqual(['1', '1'])
      expect(renders).toHaveLength(1)
    })

    it('is not waited for where the last one was for one user, on two nodes', async () => {
      const nodes = await startPair({ policy: { leaseWait: '1h' } })
      let gate = Promise.resolve()
      const render = async () => {
        await gate
        return { headers: { 'Cache-Control': 'private' }, body: 'own' }
      }
      const servers = [
        await start(render, {}, nodes[0]),
        await start(render, {}, nodes[1]),
      ] as const
      await servers[0].get('/a')
      await servers[1].get('/a')
      const held = deferred()
      gate = held.promise
      const waiting = servers.flatMap(({ get }) => [get('/a'), get('/a')])
      await eventually('all of them render', () =>
        servers.every(({ renders }) => renders.length === 3),
      )
      held.resolve()
      for (const { body } of await Promise.all(waiting)) expect(body).toBe('own')
    })

    it('that hangs holds up the others no longer than leaseWait', async () => {
      let made = 0
      const node = startNode({ policy: { leaseWait: '300ms' } })
      const { port, renders, get } = await start(
        () => {
          const own = ++made
          return own === 1 ? new Promise<never>(() => undefined) : { headers: KEPT, body: `${own}` }
        },
        {},
        node,
      )
      const hanging = asking(port, { path: '/a' })
      hanging.answer.catch(() => undefined)
      await eventually('it renders', () => renders.length === 1)
      const others = await Promise.all([get('/a'), get('/a')])
      expect(new Set(others.map(({ body }) => body)).size).toBe(1)
      hanging.client.destroy()
    })

    it('that fails is nobody else’s answer, and is not kept', async () => {
      const gate = deferred()
      let made = 0
      const { renders, get } = await start(async () => {
        const own = ++made
        if (own > 1) return { headers: KEPT, body: `${own}` }
        await gate.promise
        throw new Error('the first fails')
      })
      const first = get('/a')
      await eventually('it renders', () => renders.length === 1)
      const other = get('/a')
      gate.resolve()
      expect([(await first).status, (await other).status]).toEqual([500, 200])
    })
  })

  describe('an eviction', () => {
    it('of a path, of a tag, and of a group is seen by the next request', async () => {
      let made = 0
      const { node, get } = await start(
        () => ({
          headers: { ...KEPT, 'Cache-Groups': '"shop", "all"' },
          body: `${++made}`,
        }),
        { tags: ['products'], query: ['page'] },
      )
      const next = async () => (await get('/Products/42?page=1')).body
      expect([await next(), await next()]).toEqual(['1', '1'])
      await httpCache.evict(node.caches, '/products/42/')
      expect([await next(), await next()]).toEqual(['2', '2'])
      await node.caches.evictTags(['products'])
      expect([await next(), await next()]).toEqual(['3', '3'])
      await node.caches.evictTags(['group:shop'])
      expect([await next(), await next()]).toEqual(['4', '4'])
    })

    it('while it renders keeps the result out', async () => {
      const gate = deferred()
      let made = 0
      const { node, renders, get } = await start(async () => {
        const own = ++made
        if (own === 1) await gate.promise
        return { headers: KEPT, body: `${own}` }
      })
      const first = get('/a')
      await eventually('it renders', () => renders.length === 1)
      await httpCache.evict(node.caches, '/a')
      gate.resolve()
      expect([(await first).body, (await get('/a')).body]).toEqual(['1', '2'])
    })

    it('follows an answer without error to another method, before its client has that', async () => {
      let made = 0
      const { get, post } = await start(({ method, path }) => {
        if (method === 'GET') return { headers: KEPT, body: `${++made}` }
        if (path === '/refused') return { status: 403 }
        return {
          status: 201,
          headers: {
            Location: '/list',
            'Content-Location': 'http://elsewhere.example/other',
            'Cache-Group-Invalidation': '"shop"',
          },
        }
      })
      const bodies = async () => [
        (await get('/a')).body,
        (await get('/list')).body,
        (await get('/other')).body,
      ]
      expect(await bodies()).toEqual(['1', '2', '3'])
      await post('/refused')
      expect(await bodies()).toEqual(['1', '2', '3'])
      expect((await post('/a')).status).toBe(201)
      expect(await bodies()).toEqual(['4', '5', '3'])
    })
  })

  describe('a conditional request', () => {
    it('is answered from what is kept, and after a render', async () => {
      const { get, renders } = await start(({ header }) => ({
        headers: { ...KEPT, ETag: '"one"', 'Last-Modified': 'Sun, 29 Nov 2026 10:00:00 GMT' },
        body: `${header('if-none-match')}`,
      }))
      const first = await get('/a', { 'if-none-match': 'W/"one"' })
      expect([first.status, first.body, first.headers.etag]).toEqual([304, '', '"one"'])
      expect((await get('/a')).body).toBe('undefined')
      expect((await get('/a', { 'if-none-match': '"two", "one"' })).status).toBe(304)
      expect((await get('/a', { 'if-none-match': '"two"' })).status).toBe(200)
      const since = { 'if-modified-since': 'Sun, 29 Nov 2026 10:00:00 GMT' }
      expect((await get('/a', since)).status).toBe(304)
      expect((await get('/a', { ...since, 'if-none-match': '"two"' })).status).toBe(200)
      expect(renders).toHaveLength(1)
    })

    it('has a tag where the handler gives none, and is not answered 304 after an eviction', async () => {
      let made = 0
      const { node, get } = await start(() => ({ headers: KEPT, body: `${++made}` }))
      const { etag } = (await get('/a')).headers
      expect(etag).toMatch(/^W\/"/)
      const asked = { 'if-none-match': `${etag}` }
      expect((await get('/a', asked)).status).toBe(304)
      await httpCache.evict(node.caches, '/a')
      expect((await get('/a', asked)).body).toBe('2')
    })
  })

  it('answers HEAD from what is kept of GET, with its fields and no body', async () => {
    const { port, get, renders } = await start(() => ({ headers: KEPT, body: 'twelve bytes' }))
    await get('/a')
    const head = await ask(port, { method: 'HEAD', path: '/a' })
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '12'])
    expect(renders).toHaveLength(1)
    await ask(port, { method: 'HEAD', path: '/b' })
    expect((await get('/b')).body, 'a HEAD makes nothing to keep').toBe('twelve bytes')
  })

  it('answers a part of what is kept, and lets the handler answer other parts', async () => {
    const { get, renders } = await start(() => ({
      headers: { ...KEPT, ETag: '"one"', 'Content-Type': 'text/plain' },
      body: '0123456789',
    }))
    expect((await get('/a', { range: 'bytes=0-1' })).status, 'nothing is kept yet').toBe(200)
    await get('/a')
    const part = async (range: string, more = {}) => {
      const { status, body, headers } = await get('/a', { range, ...more })
      return [status, body, headers['content-range']]
    }
    expect(await part('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10'])
    expect(await part('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=0-99')).toEqual([206, '0123456789', 'bytes 0-9/10'])
    expect(await part('bytes=99-')).toEqual([416, '', 'bytes */10'])
    expect(await part('bytes=2-4', { 'if-range': '"one"' })).toEqual([206, '234', 'bytes 2-4/10'])
    expect((await part('bytes=2-4', { 'if-range': '"two"' })).slice(0, 2)).toEqual([
      200,
      '0123456789',
    ])
    expect(renders).toHaveLength(2)
    expect((await part('bytes=0-1,3-4'))[0]).toBe(200)
    expect(renders).toHaveLength(3)
  })

  it('asks the handler whether a response still holds', async () => {
    const asked: unknown[] = []
    const { get } = await start(
      ({ header }) => {
        asked.push(header('if-none-match'))
        const headers = {
          'Cache-Control': 'max-age=1',
          ETag: '"one"',
          'X-Count': `${asked.length}`,
        }
        return header('if-none-match') === '"one"'
          ? { status: 304, headers }
          : { headers, body: 'whole' }
      },
      { revalidate: '1m' },
    )
    await get('/a')
    await eventually('it is asked', async () => {
      await get('/a')
      return asked.length >= 2
    })
    const { status, body, headers } = await get('/a')
    expect([status, body]).toEqual([200, 'whole'])
    expect(Number(headers['x-count'])).toBeGreaterThan(1)
    expect(asked.slice(0, 2)).toEqual([undefined, '"one"'])
  })

  it('keeps one response for each value of a declared field', async () => {
    const { get, renders } = await start(
      ({ header }) => ({
        headers: { ...KEPT, Vary: 'Accept-Language' },
        body: `${header('accept-language')}`,
      }),
      { vary: ['Accept-Language'] },
    )
    const of = async (language: string) => (await get('/a', { 'accept-language': language })).body
    for (let round = 0; round < 2; round += 1) {
      expect(await of('de, en;q=0.5')).toBe('de, en;q=0.5')
      expect(await of('fr')).toBe('fr')
    }
    expect(await of('de,  en;q=0.5')).toBe('de, en;q=0.5')
    expect(renders).toHaveLength(2)
  })

  it('sends what is larger than maxBody as it comes, whole, and keeps it not', async () => {
    const body = 'x'.repeat(3_000)
    const told: unknown[] = []
    const { get, renders } = await start(() => ({ headers: KEPT, body }), {
      maxBody: '2kb',
      onUncached: (response) => told.push(response),
    })
    for (let i = 0; i < 2; i += 1) expect((await get('/a')).body).toBe(body)
    expect(renders).toHaveLength(2)
    expect(told).toContainEqual({ reason: 'size', path: '/a', status: 200 })
  })

  it('keeps bytes as they are', async () => {
    const { get } = await start(() => ({ headers: KEPT, body: 'žluťoučký 🐎\u0000 kůň' }))
    await get('/a')
    expect((await get('/a')).body).toBe('žluťoučký 🐎\u0000 kůň')
  })

  describe('a stale response', () => {
    const STALE = { 'Cache-Control': 'max-age=1, stale-while-revalidate=60, stale-if-error=60' }

    it('is served while one request has it made anew', async () => {
      let made = 0
      const { get, renders } = await start(() => ({ headers: STALE, body: `${++made}` }))
      expect((await get('/a')).body).toBe('1')
      await eventually(
        'it is stale and served',
        async () => Number(/ttl=(-?\d+)/.exec(statusOf(await get('/a')))?.[1] ?? 0) < 0 || made > 1,
      )
      await eventually('it is made anew', async () => (await get('/a')).body === '2')
      expect(renders).toHaveLength(2)
    })

    it('is served where the handler fails, and only where that is allowed', async () => {
      let fails = false
      const { get } = await start(({ path }) => {
        if (fails) throw new Error('down')
        const windows = path === '/allowed' ? 'max-age=1, stale-if-error=60' : 'max-age=1'
        return { headers: { 'Cache-Control': windows }, body: 'good' }
      })
      await get('/allowed')
      await get('/strict')
      fails = true
      await eventually('the strict one fails', async () => (await get('/strict')).status === 500)
      expect(await get('/allowed')).toMatchObject({ status: 200, body: 'good' })
    })

    it.each(['must-revalidate', 'proxy-revalidate', 's-maxage=1', 'no-cache'])(
      'is served to nobody where %s forbids it, although it is kept to be asked for',
      async (directive) => {
        let fails = false
        const { get, renders } = await start(
          () => {
            if (fails) throw new Error('down')
            const windows = `max-age=1, stale-if-error=60, stale-while-revalidate=60, ${directive}`
            return { headers: { 'Cache-Control': windows, ETag: '"one"' }, body: 'good' }
          },
          { revalidate: '1m' },
        )
        await get('/a')
        fails = true
        await eventually('it fails', async () => (await get('/a')).status === 500)
        expect(renders.length).toBeGreaterThanOrEqual(2)
      },
    )

    it('is made by the route’s own windows, where the response says nothing', async () => {
      let made = 0
      const { get } = await start(() => ({ body: `${++made}` }), { ttl: '1h' })
      await get('/a')
      const hit = await get('/a')
      expect([hit.body, hit.headers['cache-control']]).toEqual(['1', undefined])
    })
  })

  it('runs handlers while Redis is away, and says so', async () => {
    const redis = await startRedis()
    const node = startNode({ url: redis.url, storeTimeout: '500ms' })
    await untilVerified(node)
    let made = 0
    const { get, post } = await start(() => ({ headers: KEPT, body: `${++made}` }), {}, node)
    await get('/a')
    await redis.kill()
    const during = await Promise.all(['/b', '/c', '/d'].map((path) => get(path)))
    for (const answer of during) {
      expect(answer.status).toBe(200)
      expect(statusOf(answer)).toContain('fwd=uri-miss')
    }
    expect((await post('/a')).status).toBe(200)
    expect((await get('/a')).body).not.toBe('1')
  })
})
