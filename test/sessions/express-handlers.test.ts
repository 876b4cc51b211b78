/** What a handler does with its session of express-session, on our store. */

import { describe, expect, it } from 'vitest'
import { count, expressServer } from './support/express-server.ts'
import { PLACES } from './support/stage.ts'

describe.each(PLACES)('with sessions %s', (place) => {
  it('a handler saves, reads again, uses, renews and ends its session', async () => {
    const { ask } = await expressServer(
      (req, res) => {
        const { session: mine } = req
        const before = req.sessionID
        const done = (error?: unknown): void =>
          void res.end(
            error ? String((error as Error).message) : JSON.stringify(before !== req.sessionID),
          )
        const acts: Readonly<Record<string, () => unknown>> = {
          '/save': () => {
            mine.visits = 7
            mine.save((error) => {
              req.sessionStore.get(before, (_, found) =>
                done(error ?? new Error(`${found?.visits}`)),
              )
            })
          },
          '/reload': () => {
            mine.visits = 99
            mine.reload((error) => done(error ?? new Error(`${req.session.visits}`)))
          },
          '/touch': () => {
            mine.cookie.expires = new Date(Date.now() + 1_000)
            mine.cookie.originalMaxAge = 60_000
            mine.touch()
            done(new Error(`${(mine.cookie.maxAge ?? 0) > 30_000}`))
          },
          '/regenerate': () => mine.regenerate(done),
          '/destroy': () => mine.destroy((error) => done(error ?? new Error(typeof req.session))),
        }
        acts[req.path]?.()
      },
      { place, options: { cookie: { maxAge: 60_000 } } },
    )
    const { cookie, body } = await ask('/save')
    expect(body).toBe('7')
    expect((await ask('/reload', { cookie })).body).toBe('7')
    expect((await ask('/touch', { cookie })).body).toBe('true')
    const renewed = await ask('/regenerate', { cookie })
    expect(renewed.body).toBe('true')
    expect(renewed.cookie).not.toBe(cookie)
    expect((await ask('/destroy', renewed)).body).toBe('undefined')
    expect((await ask('/reload', renewed)).body).toMatch(/failed to load session/)
  })

  it('a save by the handler is the only one of its request', async () => {
    for (const saveUninitialized of [true, false]) {
      const { ask, store } = await expressServer(
        (req, res) => {
          req.session.visits = 1
          const save = (): unknown => req.session.save(() => void res.end())
          if (req.path === '/reloaded') req.session.reload(save)
          else save()
        },
        { place, options: { saveUninitialized } },
      )
      let saves = 0
      const { set } = store
      store.set = (...args) => {
        saves += 1
        return set.apply(store, args)
      }
      const { cookie } = await ask()
      expect(saves).toBe(1)
      await ask('/', { cookie })
      expect(saves).toBe(2)
      await ask('/reloaded', { cookie })
      expect(saves).toBe(3)
    }
  })

  it('reading again what is gone is refused, however often', async () => {
    const { ask, store } = await expressServer(
      (req, res) => {
        if (req.path === '/') return void count(req, res, () => undefined)
        return store.clear(() => {
          const reload = (left: number, last: string): void => {
            if (left === 0) res.end(last)
            else
              req.session.reload((error: Error | null) => reload(left - 1, String(error?.message)))
          }
          reload(20, '')
        })
      },
      { place },
    )
    const { cookie } = await ask()
    expect((await ask('/again', { cookie })).body).toBe('failed to load session')
  })

  it('keeps data under names that methods of a session have', async () => {
    const { ask, store } = await expressServer(
      (req, res) => {
        req.session.visits ??= 1
        res.end(req.sessionID)
      },
      { place },
    )
    const { body, cookie } = await ask()
    const found = await new Promise<object>((resolve) =>
      store.get(body, (_, data) => resolve(data ?? {})),
    )
    await new Promise((resolve) =>
      store.set(body, { ...found, save: 'x', reload: 1 } as never, resolve),
    )
    const again = await ask('/', { cookie })
    expect([again.status, again.body]).toEqual([200, body])
  })

  it('shows nothing but what is in it', async () => {
    const { ask } = await expressServer(
      (req, res) => {
        req.session.visits = 1
        req.session.userId = 'ada'
        const names: string[] = []
        for (const name in req.session) names.push(name)
        res.end(`${names.sort()} ${Object.keys(req.session).sort()}`)
      },
      { place },
    )
    expect((await ask()).body).toBe('cookie,userId,visits cookie,userId,visits')
  })

  it('saves nothing under an id that is none', async () => {
    const { ask, store } = await expressServer(
      (req, res) => {
        req.sessionID = (() => undefined) as never
        req.session.visits = 1
        res.end()
      },
      { place },
    )
    expect((await ask()).lines).toEqual([])
    expect(await new Promise((resolve) => store.length((_, length) => resolve(length)))).toBe(0)
  })
})
