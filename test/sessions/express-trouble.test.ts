/** What express-session does where its setup is wrong, or our store is in trouble. */

import session from 'express-session'
import { describe, expect, it } from 'vitest'
import { count, expressServer } from './support/express-server.ts'

describe('trouble', () => {
  it('of a wrong setup is told', async () => {
    expect(() => session({ unset: 'some' as never, secret: 'x' })).toThrow(/unset/)
    expect(() => session({ secret: [] })).toThrow(/secret/)
    const { ask } = await expressServer(count, { options: { secret: undefined as never } })
    expect((await ask()).body).toMatch(/secret/)
    const given = await expressServer(count, {
      options: { secret: undefined as never },
      before: (req, _, next) => {
        Object.assign(req, { secret: 'of the request' })
        next()
      },
    })
    expect((await given.ask()).status).toBe(200)
  })

  it('of a read is the answer, but what is not there begins a session', async () => {
    const { ask, store } = await expressServer(count)
    const { cookie } = await ask()
    store.get = (_, callback) => callback(new Error('cannot be read'))
    expect(await ask('/', { cookie })).toMatchObject({ status: 500, body: 'cannot be read' })
    store.get = (_, callback) => callback(Object.assign(new Error(), { code: 'ENOENT' }))
    expect(await ask('/', { cookie })).toMatchObject({ status: 200, body: '1' })
  })

  it.each([
    ['set', '/count'],
    ['touch', '/'],
    ['destroy', '/unset'],
  ] as const)('of %s is told, and the answer goes out', async (method, path) => {
    const { ask, store, errors } = await expressServer(
      (req, res) => {
        if (req.path === '/count') req.session.visits = (req.session.visits ?? 0) + 1
        if (req.path === '/unset') req.session = null as never
        res.end('answer')
      },
      { options: { unset: 'destroy' } },
    )
    const { cookie } = await ask('/count')
    const fails = (_: string, ...rest: unknown[]): void =>
      (rest.at(-1) as (error: Error) => void)(new Error('no'))
    store[method] = fails as never
    expect((await ask(path, { cookie })).body).toBe('answer')
    await expect.poll(() => errors.map(({ message }) => message)).toEqual(['no'])
  })

  it('of a store that says that it is away leaves requests without a session until it is back', async () => {
    const { ask, store } = await expressServer((req, res) => void res.end(typeof req.session))
    store.emit('disconnect')
    expect(await ask()).toMatchObject({ body: 'undefined', lines: [] })
    store.emit('connect')
    expect((await ask()).body).toBe('object')
  })

  it('a session of nobody is not used', async () => {
    const { ask, store } = await expressServer((_, res) => void res.end(), {
      options: { saveUninitialized: false },
    })
    store.touch = () => {
      throw new Error('used')
    }
    expect((await ask()).status).toBe(200)
  })

  it('a slow answer has the cookie of its end in the store, and not of its begin', async () => {
    const { ask, store } = await expressServer(
      async (req, res) => {
        req.session.visits = 1
        res.write('slow ')
        const begun = Date.now()
        while (Date.now() === begun) await new Promise(setImmediate)
        res.end(`${begun} ${req.sessionID}`)
      },
      { options: { rolling: true, cookie: { maxAge: 60_000 } } },
    )
    const [, begun = '', id = ''] = (await ask()).body.split(' ')
    const found = await new Promise<session.SessionData | null | undefined>((resolve) =>
      store.get(id, (_, data) => resolve(data)),
    )
    expect(new Date(found?.cookie.expires ?? 0).getTime()).toBeGreaterThan(Number(begun) + 59_000)
  })
})
