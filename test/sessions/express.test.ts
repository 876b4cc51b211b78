/** What express-session asks of a store, beyond its own suite: connect-redis' life of a store, cookies of every kind, and mistakes in the setup. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { INTERNALS } from '@larder/core/store'
import { createSessions } from '@larder/plugins/sessions'
import { type ExpressStore, expressStore, login } from '@larder/plugins/sessions/express'
import express from 'express'
import session, { type SessionData, Store } from 'express-session'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Browser } from './support/apps.ts'
import { openSessions, PLACES, type Place, type Stage, type Visit } from './support/stage.ts'

interface PromisedStore {
  get(id: string): Promise<SessionData | null | undefined>
  set(id: string, data: object): Promise<void>
  touch(id: string, data: object): Promise<void>
  destroy(id: string): Promise<void>
  all(): Promise<Record<string, SessionData>>
  length(): Promise<number>
  clear(): Promise<void>
}

function open(
  place: Place,
): Stage & { readonly store: PromisedStore; readonly raw: ExpressStore<Visit> } {
  const stage = openSessions(place, { options: { foreignIds: true, idle: '1d', touchEvery: 0 } })
  const raw = expressStore(stage.sessions)
  const promised = <Name extends keyof PromisedStore>(name: Name) =>
    promisify(
      (raw[name] as (...args: unknown[]) => void).bind(raw),
    ) as unknown as PromisedStore[Name]
  const store: PromisedStore = {
    get: promised('get'),
    set: promised('set'),
    touch: promised('touch'),
    destroy: promised('destroy'),
    all: promised('all'),
    length: promised('length'),
    clear: promised('clear'),
  }
  return { ...stage, store, raw }
}

const cookie = (changes: object = {}): object => ({ originalMaxAge: null, ...changes })
const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1_000)

describe.each(PLACES)('a store %s', (place) => {
  it('is a store of express-session', () => {
    expect(open(place).raw).toBeInstanceOf(Store)
  })

  it('has the life that the store of connect-redis has', async () => {
    const { store, sessions } = open(place)
    await store.clear()
    const data = { foo: 'bar', cookie: cookie() }
    await store.set('123', data)
    expect(await store.get('123')).toEqual(data)
    const leftMs = async (id: string): Promise<number> =>
      ((await sessions.get(id))?.endsAt.getTime() ?? 0) - Date.now()
    const expires = inSeconds(60)
    await store.set('456', { cookie: cookie({ expires }) })
    await store.touch('456', { cookie: cookie({ expires: inSeconds(90) }) })
    expect(await store.length()).toBe(2)
    const all = await store.all()
    expect(Object.keys(all).sort()).toEqual(['123', '456'])
    expect(all['456']).toEqual({ cookie: cookie({ expires: expires.toISOString() }) })
    expect(await leftMs('123')).toBeGreaterThan(86_000_000)
    await store.destroy('456')
    expect(await store.length()).toBe(1)
    await store.clear()
    expect(await store.length()).toBe(0)
    const many = Array.from({ length: 1_000 }, (_, i) => `s${i}`)
    await Promise.all(
      many.map((id) => store.set(id, { cookie: cookie({ expires: inSeconds(60) }) })),
    )
    expect(await store.length()).toBe(1_000)
    await store.clear()
    expect(await store.length()).toBe(0)
    await store.set('789', { cookie: cookie({ expires: inSeconds(60) }) })
    expect(await store.length()).toBe(1)
    await store.set('789', { cookie: cookie({ expires: inSeconds(-60) }) })
    expect(await store.length()).toBe(0)
  })

  it('lasts as its cookie does, never longer than idle, and takes any kind of end', async () => {
    const { store, sessions } = open(place)
    const ends: readonly (readonly [end: unknown, seconds: number])[] = [
      [inSeconds(60), 60],
      [inSeconds(60).toISOString(), 60],
      [inSeconds(60).getTime(), 60],
      [inSeconds(10 * 86_400), 86_400],
      [null, 86_400],
      [undefined, 86_400],
      [false, 86_400],
      ['no date', 86_400],
      [new Date(Number.NaN), 86_400],
    ]
    for (const [i, [expires, seconds]] of ends.entries()) {
      const id = `id-${i}`
      await store.set(id, { cookie: { originalMaxAge: null, expires } })
      const { calls } = sessions[INTERNALS]
      const at = calls.parse(id)
      const found = at && (await calls.read(at, 0))
      const leftMs = (found?.endsAt ?? 0) - (found?.now ?? 0)
      expect(leftMs / 1_000, String(expires)).toBeGreaterThan(seconds - 30)
      expect(leftMs / 1_000, String(expires)).toBeLessThanOrEqual(seconds)
    }
    await store.set('past', { cookie: { originalMaxAge: null, expires: inSeconds(-1) } })
    expect(await store.get('past')).toBeUndefined()
    await store.set('none', { foo: 1 })
    expect(await store.get('none')).toEqual({ foo: 1 })
  })

  it('keeps a cookie that was changed by a request that changed nothing else', async () => {
    const { store } = open(place)
    const maxAge = (seconds: number): object => ({
      cookie: { originalMaxAge: seconds * 1_000, expires: inSeconds(seconds), path: '/' },
    })
    await store.set('a', { userId: 'ada', ...maxAge(60) })
    await store.get('a')
    await store.touch('a', { userId: 'stale', ...maxAge(3_600) })
    const found = await store.get('a')
    expect(found?.cookie.originalMaxAge).toBe(3_600_000)
    expect(found?.userId).toBe('ada')
    const left = new Date(found?.cookie.expires ?? 0).getTime() - Date.now()
    expect(left).toBeGreaterThan(3_000_000)
  })

  it('writes nothing for a save that changes nothing', async () => {
    const { store, sessions, caches } = open(place)
    await store.set('a', { userId: 'ada', cookie: cookie() })
    const other = createSessions<Visit>(caches, {
      foreignIds: true,
      storeTimeout: '10s',
      userOf: (data) => data.userId,
    })
    const data = (await store.get('a')) as SessionData
    // Another process changes it while a request here only reads.
    await other.save('a', { userId: 'ada', visits: 7, cookie: cookie() })
    await store.set('a', data)
    expect((await sessions.get('a'))?.data.visits).toBe(7)
  })

  it('counts a request that changes nothing as a use, and no session comes from it', async () => {
    const { store, refused } = open(place)
    await store.set('a', { cookie: cookie() })
    const data = (await store.get('a')) as SessionData
    await store.destroy('a')
    await store.set('a', data)
    await store.touch('a', data)
    expect(await store.get('a')).toBeUndefined()
    expect(refused.length).toBe(2)
  })
})

async function serve(options: Partial<session.SessionOptions>, stage: Stage): Promise<string> {
  const app = express()
  const store = expressStore(stage.sessions)
  app.use(session({ store, secret: 'secret', resave: false, saveUninitialized: false, ...options }))
  app.post('/login', async (req, res) => {
    await login(req, 'ada')
    req.session.userId = 'ada'
    res.json('ada')
  })
  app.post('/plain-login', (req, res) => {
    req.session.userId = 'ada'
    res.json('ada')
  })
  app.post('/regenerate', (req, res, next) => {
    req.session.regenerate((error: unknown) => {
      if (error) return next(error)
      req.session.userId = 'ada'
      return res.json('ada')
    })
  })
  app.get('/me', (req, res) => void res.json(req.session.userId ?? null))
  app.use(((error, _req, res, _next) => {
    res.status(500).json({ error: (error as Error).message })
  }) as express.ErrorRequestHandler)
  const server = app.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('an application', () => {
  it('that does not make its ids with newId is told so, and by login, too', async () => {
    const own = await serve({}, openSessions('in process'))
    const plain = await new Browser(own).send('POST', '/plain-login')
    expect(plain.status).toBe(500)
    expect(String(plain.body)).toContain('sessions.newId')
    const foreign = await serve({}, openSessions('in process', { options: { foreignIds: true } }))
    const login = await new Browser(foreign).send('POST', '/login')
    expect(String(login.body)).toContain('session.genid takes sessions.newId')
  })

  it.each(['/plain-login', '/regenerate'])(
    'that logs in its own way (%s) can log out everywhere',
    async (path) => {
      const stage = openSessions('on Redis')
      const url = await serve({ genid: stage.sessions.newId }, stage)
      const browsers = [new Browser(url), new Browser(url)]
      for (const browser of browsers) await browser.send('POST', path)
      expect(await stage.sessions.list('ada')).toHaveLength(2)
      expect(await stage.sessions.destroyAll('ada')).toBe(2)
      for (const browser of browsers) expect(await browser.body('GET', '/me')).toBeNull()
    },
  )

  it('whose old session cannot be ended does not log in', async () => {
    const stage = openSessions('on Redis')
    const store = expressStore(stage.sessions)
    const url = await serve({ genid: stage.sessions.newId, store }, stage)
    const browser = new Browser(url)
    await browser.send('POST', '/plain-login')
    const { destroy } = store
    store.destroy = (_, callback) => callback?.(new Error('cannot be ended'))
    const answer = await browser.send('POST', '/login')
    expect(answer.status).toBe(500)
    expect(await stage.sessions.list('ada')).toHaveLength(1)
    store.destroy = destroy
    expect((await browser.send('POST', '/login')).status).toBe(200)
    // The one that could not be ended is still there to be ended.
    expect(await stage.sessions.destroyAll('ada')).toBe(2)
  })

  it('is told of what is not a store’s sessions, or not a request', async () => {
    expect(() => expressStore({} as never)).toThrow(
      /expressStore.sessions takes sessions of createSessions/,
    )
    await expect(login({} as never, 'ada')).rejects.toThrow(/login.request takes/)
  })
})
