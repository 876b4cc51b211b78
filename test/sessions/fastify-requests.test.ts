/** What a request of @fastify/session finds and leaves behind with our store. */

import { describe, expect, it } from 'vitest'
import { count, fastifyServer } from './support/fastify-server.ts'
import { PLACES } from './support/stage.ts'

describe.each(PLACES)('with sessions %s', (place) => {
  it('a request has its session, its id and its store', async () => {
    const { ask, sessions, app } = await fastifyServer(
      async ({ session, sessionStore }) => {
        session.set('visits', 7)
        await session.save()
        return {
          id: session.sessionId,
          isSigned: session.encryptedSessionId.startsWith(session.sessionId),
          cookie: session.cookie.path,
          visits: session.get('visits'),
          isDefined: sessionStore !== undefined,
        }
      },
      { place },
    )
    const { body, cookie } = await ask()
    const { id, ...rest } = JSON.parse(body)
    expect(rest).toEqual({ isSigned: true, cookie: '/', visits: 7, isDefined: true })
    expect((await sessions.get(id))?.data.visits).toBe(7)
    expect(cookie).toContain(encodeURIComponent(id))
    expect(app.hasDecorator('decryptSession')).toBe(true)
  })

  it('keeps what is in it from request to request, of every method', async () => {
    const { ask, app } = await fastifyServer(count, { place })
    const { cookie } = await ask()
    expect((await ask('/', { cookie })).body).toBe('2')
    const posted = await app.inject({ method: 'POST', url: '/', headers: { cookie } })
    expect(posted.body).toBe('3')
  })

  it.each([
    ['forged', (cookie: string) => cookie.replace(/.{4}$/, 'wxyz')],
    ['of nobody', () => 'sid=nothing.here'],
  ])('an id that is %s gets another session', async (_, change) => {
    const { ask } = await fastifyServer(count, { place })
    const { cookie } = await ask()
    const again = await ask('/', { cookie: change(cookie) })
    expect(again.body).toBe('1')
    expect(again.cookie).not.toBe(cookie)
  })

  it('a session that is gone gets another id, and its cookie is removed where there is nothing to save', async () => {
    const { ask, sessions } = await fastifyServer(
      (request) =>
        request.url === '/count' ? `${count(request)} ${request.session.sessionId}` : 'nothing',
      {
        place,
        options: {
          saveUninitialized: false,
          cookie: { secure: false, path: '/', domain: 'shop.example' },
        },
      },
    )
    const { cookie, body } = await ask('/count')
    await sessions.destroy(body.split(' ')[1] ?? '')
    const nothing = await ask('/', { cookie })
    expect(nothing.line).toMatch(/^sid=; Max-Age=0; Domain=shop\.example; Path=\//)
    const again = await ask('/count', { cookie })
    expect(again.body).toMatch(/^1 /)
    expect(again.cookie).not.toBe(cookie)
    expect((await ask('/')).line).toBe('')
    expect((await ask('/', { cookie: 'other=1' })).line).toBe('')
  })

  it('a session whose cookie has ended is ended', async () => {
    const { ask, store, sessions } = await fastifyServer(
      (request) => `${count(request)} ${request.session.sessionId}`,
      { place, options: { cookie: { secure: false, maxAge: 60_000 } } },
    )
    const { cookie, body } = await ask()
    const id = body.split(' ')[1] ?? ''
    const { get } = store
    // As one that ends between the store's look and the framework's.
    store.get = (at, callback) =>
      get(at, (error, session) => {
        if (session) session.cookie.expires = new Date(Date.now() - 1_000)
        callback(error, session)
      })
    const again = await ask('/', { cookie })
    expect(again.status).toBe(200)
    expect(again.body).toMatch(/^1 /)
    expect(again.cookie).not.toBe(cookie)
    expect(await sessions.get(id)).toBeUndefined()
  })

  it('nothing is saved for a client that nothing is kept for', async () => {
    for (const saveUninitialized of [true, false]) {
      const { ask, store } = await fastifyServer(() => 'nothing', {
        place,
        options: { saveUninitialized },
      })
      let saves = 0
      const { set } = store
      store.set = (...args) => {
        saves += 1
        set(...args)
      }
      expect((await ask()).line !== '').toBe(saveUninitialized)
      expect(saves).toBe(saveUninitialized ? 1 : 0)
    }
  })

  it.each([true, false])(
    'with rolling %s, what a request that changes nothing does',
    async (rolling) => {
      const { ask, store } = await fastifyServer(
        async (request) => {
          const { session, url } = request
          if (url === '/count') return count(request)
          if (url === '/same') session.visits = 1
          if (url === '/save') {
            session.visits = (session.visits ?? 0) + 1
            const wasModified = session.isModified()
            await session.save()
            return [wasModified, session.isModified(), session.isSaved()]
          }
          return 'nothing'
        },
        {
          place,
          options: {
            rolling,
            saveUninitialized: false,
            cookie: { secure: false, maxAge: 3_600_000 },
          },
        },
      )
      let saves = 0
      const { set } = store
      store.set = (...args) => {
        saves += 1
        set(...args)
      }
      const { cookie } = await ask('/count')
      expect(saves).toBe(1)
      for (const path of ['/', '/same']) {
        expect((await ask(path, { cookie })).line !== '').toBe(rolling)
      }
      expect(saves).toBe(rolling ? 3 : 1)
      expect((await ask('/save', { cookie })).body).toBe('[true,false,true]')
      // A rolling one is saved at the end, too.
      expect(saves).toBe(rolling ? 5 : 2)
    },
  )

  it('a session without an end is saved where it changed, though it is not rolling', async () => {
    const { ask } = await fastifyServer(count, { place, options: { rolling: false } })
    const { cookie } = await ask()
    await ask('/', { cookie })
    expect((await ask('/', { cookie })).body).toBe('3')
  })

  it('a handler reads again, renews and ends its session, by promise and by callback', async () => {
    const { ask } = await fastifyServer(
      async (request) => {
        const { session, url } = request
        const before = session.sessionId
        const byCallback = (act: (done: (error?: unknown) => void) => void): Promise<void> =>
          new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())))
        const [, form, act] = url.split('/')
        const isPromise = form === 'promise'
        if (act === 'save') session.visits = 7
        if (act === 'save')
          await (isPromise ? session.save() : byCallback((done) => session.save(done)))
        session.visits = 99
        if (act === 'save' || act === 'reload')
          await (isPromise ? session.reload() : byCallback((done) => session.reload(done)))
        if (act === 'renew')
          await (isPromise
            ? session.regenerate(['visits'])
            : byCallback((done) => session.regenerate(['visits'], done)))
        if (act === 'end')
          await (isPromise ? session.destroy() : byCallback((done) => session.destroy(done)))
        // Another object once it was read again.
        const now = request.session ?? session
        return { visits: now.visits ?? null, isSame: now.sessionId === before }
      },
      { place },
    )
    for (const form of ['promise', 'callback']) {
      const { cookie, body } = await ask(`/${form}/save`)
      expect(JSON.parse(body)).toEqual({ visits: 7, isSame: true })
      expect(JSON.parse((await ask(`/${form}/reload`, { cookie })).body)).toMatchObject({
        visits: 7,
      })
      const renewed = await ask(`/${form}/renew`, { cookie })
      expect(renewed.cookie).not.toBe(cookie)
      await ask(`/${form}/end`, { cookie: renewed.cookie })
      const { body: left } = await ask(`/${form}/reload`, { cookie: renewed.cookie })
      expect(JSON.parse(left).visits).toBeNull()
    }
  })

  it('renews the session that a request came with, and the old one is not in the store', async () => {
    const { ask, sessions } = await fastifyServer(
      async (request) => {
        if (request.url === '/') return `${count(request)} ${request.session.sessionId}`
        await request.session.regenerate()
        request.session.visits = 50
        return request.session.sessionId
      },
      { place },
    )
    const { cookie, body } = await ask()
    const renewed = await ask('/renew', { cookie })
    expect(await sessions.get(body.split(' ')[1] ?? '')).toBeUndefined()
    expect((await sessions.get(renewed.body))?.data.visits).toBe(50)
    expect((await ask('/', { cookie: renewed.cookie })).body).toMatch(/^51 /)
  })
})

it('makes its ids by the generator, which is given the request, and no two are the same', async () => {
  const urls: string[] = []
  const stage = await fastifyServer(count)
  const idGenerator = (request?: { readonly url?: string }): string => {
    urls.push(request?.url ?? '')
    return stage.sessions.newId()
  }
  for (const rolling of [true, false]) {
    const { ask } = await fastifyServer(count, {
      stage,
      options: { rolling, idGenerator } as never,
    })
    expect((await ask('/some')).status).toBe(200)
  }
  expect(urls).toEqual(['/some', '/some'])
  const ids = new Set(Array.from({ length: 5_000 }, () => stage.sessions.newId()))
  expect(ids.size).toBe(5_000)
})

describe('trouble of the store', () => {
  const no = (): Error => new Error('no can do')

  it('with a save is the answer', async () => {
    const { ask, store } = await fastifyServer(count)
    store.set = (_, __, callback) => callback(no())
    expect((await ask()).status).toBe(500)
  })

  it('with a read is the answer, but what is not there begins a session', async () => {
    const { ask, store } = await fastifyServer(count)
    const { cookie } = await ask()
    store.get = (_, callback) => callback(no())
    expect((await ask('/', { cookie })).status).toBe(500)
    store.get = (_, callback) => callback(Object.assign(no(), { code: 'ENOENT' }))
    const begun = await ask('/', { cookie })
    expect([begun.status, begun.body]).toEqual([200, '1'])
    expect(begun.cookie).not.toBe(cookie)
  })

  it('with the end of a session that has ended is the answer', async () => {
    const { ask, store } = await fastifyServer(count, {
      options: { cookie: { secure: false, maxAge: 60_000 } },
    })
    const { cookie } = await ask()
    const { get } = store
    store.get = (id, callback) =>
      get(id, (error, session) => {
        if (session) session.cookie.expires = new Date(Date.now() - 1_000)
        callback(error, session)
      })
    store.destroy = (_, callback) => callback(no())
    expect((await ask('/', { cookie })).status).toBe(500)
  })

  it.each(['save', 'reload', 'destroy', 'regenerate'] as const)('rejects %s', async (act) => {
    const { ask, store } = await fastifyServer(async ({ session }) => {
      const fails = (_: unknown, ...rest: unknown[]): void =>
        (rest.at(-1) as (error: Error) => void)(no())
      const { set, get, destroy } = store
      Object.assign(store, { set: fails, get: fails, destroy: fails })
      const said = await session[act]().then(
        () => 'done',
        (error: Error) => error.message,
      )
      Object.assign(store, { set, get, destroy })
      return said
    })
    expect((await ask()).body).toBe('no can do')
  })
})
