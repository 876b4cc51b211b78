/** What a request of express-session finds and leaves behind with our store, and how its answer ends. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expressStore } from '@larder/plugins/sessions/express'
import type { RequestHandler } from 'express'
import session from 'express-session'
import { describe, expect, it, onTestFinished } from 'vitest'
import { count, expressServer } from './support/express-server.ts'
import { openSessions, PLACES } from './support/stage.ts'

/** Counts, and ends as the path says. */
const answers: Readonly<Record<string, RequestHandler>> = {
  '/plain': (_, res) => void res.end('hello'),
  '/empty': (_, res) => void res.end(),
  '/null': (_, res) => void res.end(null),
  '/parts': (_, res) => {
    res.write('hel')
    res.write('lo')
    res.end()
  },
  '/length': (_, res) => {
    res.setHeader('Content-Length', '5')
    res.write('hel')
    res.end('lo')
  },
  '/twice': (_, res) => {
    res.end('hello')
    res.end()
  },
}
const answering: RequestHandler = (req, res, next) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  answers[req.path]?.(req, res, next)
}

describe.each(PLACES)('with sessions %s', (place) => {
  it.each(Object.keys(answers))(
    'a session is saved whichever way its answer ends: %s',
    async (path) => {
      const { ask, store } = await expressServer(answering, { place })
      const { body, cookie } = await ask(path)
      expect(body).toBe(path === '/empty' || path === '/null' ? '' : 'hello')
      // Saved by the time that the whole answer is there, so that a next request finds it.
      const saved = await new Promise((resolve) => store.length((_, length) => resolve(length)))
      expect(saved).toBe(1)
      await ask(path, { cookie })
      const all = await new Promise<object>((resolve) =>
        store.all((_, found) => resolve(found ?? {})),
      )
      expect(Object.values(all)).toMatchObject([{ visits: 2 }])
    },
  )

  it('each client has a session of its own, and finds it again', async () => {
    const { ask } = await expressServer(count, { place })
    const [one, other] = [await ask(), await ask()]
    expect(one.cookie).not.toBe(other.cookie)
    expect((await ask('/', one)).body).toBe('2')
    expect((await ask('/', one)).body).toBe('3')
    expect((await ask('/', other)).body).toBe('2')
  })

  it('an id that the store does not know gets another session under another id', async () => {
    const { ask, store } = await expressServer(count, { place })
    const { cookie } = await ask()
    await new Promise((resolve) => store.clear(resolve))
    const again = await ask('/', { cookie })
    expect(again.body).toBe('1')
    expect(again.cookie).toBeDefined()
    expect(again.cookie).not.toBe(cookie)
  })

  it('a session that has ended by its cookie is not in the store, and gets another id', async () => {
    const { ask, store } = await expressServer(count, { place })
    const { cookie, lines } = await ask()
    const id = decodeURIComponent(/sid=s%3A([^;]+)/.exec(lines[0] ?? '')?.[1] ?? '').replace(
      /\.[^.]*$/,
      '',
    )
    const data = { visits: 9, cookie: { originalMaxAge: 1, expires: new Date(Date.now() - 1_000) } }
    await new Promise((resolve) => store.set(id, data as never, resolve))
    const again = await ask('/', { cookie })
    expect(again.body).toBe('1')
    expect(again.cookie).not.toBe(cookie)
    expect(
      await new Promise((resolve) => store.get(id, (_, found) => resolve(found))),
    ).toBeUndefined()
  })

  it.each([true, false])(
    'what of resave %s a request that changes nothing writes',
    async (resave) => {
      const { ask, store } = await expressServer(
        (req, res, next) => (req.path === '/count' ? count(req, res, next) : void res.end()),
        { place, options: { resave, saveUninitialized: false } },
      )
      const calls: string[] = []
      const { set, touch } = store
      store.set = (...args) => {
        calls.push('set')
        return set.apply(store, args)
      }
      store.touch = (...args) => {
        calls.push('touch')
        return touch.apply(store, args)
      }
      await ask()
      expect(calls).toEqual([])
      const { cookie } = await ask('/count')
      await ask('/', { cookie })
      await ask('/count', { cookie })
      expect(calls).toEqual(['set', resave ? 'set' : 'touch', 'set'])
    },
  )

  it('a request that only changes its cookie is saved', async () => {
    const { ask, store } = await expressServer(
      (req, res) => {
        req.session.visits ??= 1
        if (req.path === '/cookie') req.session.cookie.path = '/other'
        res.end(req.sessionID)
      },
      { place },
    )
    const { cookie, body } = await ask()
    await ask('/cookie', { cookie })
    const found = await new Promise<session.SessionData | null | undefined>((resolve) =>
      store.get(body, (_, data) => resolve(data)),
    )
    expect(found?.cookie.path).toBe('/other')
  })

  it.each([
    ['keep', 1],
    ['destroy', 0],
  ] as const)(
    'a request that takes its session away, with unset %s, leaves %i',
    async (unset, left) => {
      const { ask, store } = await expressServer(
        (req, res) => {
          if (req.path === '/unset') req.session = null as never
          else req.session.visits = 1
          res.end()
        },
        { place, options: { unset } },
      )
      const { cookie } = await ask()
      await ask('/unset', { cookie })
      expect(await new Promise((resolve) => store.length((_, length) => resolve(length)))).toBe(
        left,
      )
      // None was begun either, by a client that had none.
      expect((await ask('/unset')).lines).toEqual([])
      expect(await new Promise((resolve) => store.length((_, length) => resolve(length)))).toBe(
        left,
      )
    },
  )
})

it('a request that has a session already is left alone', async () => {
  const before: RequestHandler = (req, _, next) => {
    req.session = {} as never
    next()
  }
  const { ask } = await expressServer(count, { before })
  expect(await ask()).toMatchObject({ lines: [], body: '1' })
})

it('a request without a target has a session', async () => {
  const { sessions } = openSessions('in process')
  const middleware = session({
    store: expressStore(sessions),
    genid: sessions.newId,
    secret: 'a secret',
    resave: false,
    saveUninitialized: true,
  })
  const server = createServer((req, res) => {
    req.url = ''
    // A cast: it takes requests of node, too.
    middleware(
      req as never,
      res as never,
      () => void res.end(typeof (req as { session?: object }).session),
    )
  })
  server.listen(0)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect(await answer.text()).toBe('object')
  expect(answer.headers.getSetCookie()).toHaveLength(1)
})

it.each(['before', 'after'])(
  'an answer whose write and end were replaced %s it is whole',
  async (when) => {
    const replace: RequestHandler = (_, res, next) => {
      const { end, write } = res
      let hasEnded = false
      res.end = ((...args: Parameters<typeof end>) => {
        hasEnded = true
        return end.apply(res, args)
      }) as typeof end
      res.write = ((...args: Parameters<typeof write>) => {
        if (hasEnded) throw new Error('written after the end')
        return write.apply(res, args)
      }) as typeof write
      next()
    }
    const answer: RequestHandler = (req, res) => {
      req.session.visits = 1
      res.write('hel')
      res.end('lo')
    }
    const { ask } = await expressServer(
      when === 'before'
        ? answer
        : (req, res) => replace(req, res, () => void answer(req, res, () => undefined)),
      when === 'before' ? { before: replace } : {},
    )
    expect((await ask()).body).toBe('hello')
  },
)

it('changing the head after the end fails as it does without sessions', async () => {
  let message = ''
  const { ask } = await expressServer((_, res) => {
    res.end()
    // A first save is under way, and the answer with it.
    res.once('finish', () => {
      try {
        res.setHeader('X-Late', '1')
      } catch (error) {
        message = (error as Error).message
      }
    })
  })
  expect((await ask()).status).toBe(200)
  expect(message).toMatch(/after they are sent/)
})
