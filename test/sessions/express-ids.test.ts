/** Which ids of express-session are looked for in our store, and who makes them. */

import type { RequestHandler } from 'express'
import session, { type SessionOptions } from 'express-session'
import { describe, expect, it } from 'vitest'
import { count, expressServer } from './support/express-server.ts'

describe('the id', () => {
  it('is looked for only where one of the secrets has signed it', async () => {
    const first = await expressServer(count, { options: { secret: ['old secret'] } })
    const { cookie = '' } = await first.ask()
    const second = await expressServer(count, {
      stage: first,
      options: { secret: ['new', 'old secret'] },
    })
    let reads = 0
    const { get } = second.store
    second.store.get = (...args) => {
      reads += 1
      return get.apply(second.store, args)
    }
    expect((await second.ask('/', { cookie })).body).toBe('2')
    expect(reads).toBe(1)
    const forged = cookie.replace(/.{3}$/, 'xyz')
    for (const wrong of [forged, cookie.replace(/\.[^.]*$/, ''), cookie.replace('s%3A', '')]) {
      const answer = await second.ask('/', { cookie: wrong })
      expect(answer.body).toBe('1')
      expect(answer.cookie).not.toBe(cookie)
    }
    expect(reads).toBe(1)
    // The first secret signs, so who has only the old one does not know it.
    const { cookie: signed } = await second.ask()
    expect((await first.ask('/', { cookie: signed })).body).toBe('1')
  })

  it('is signed by a text, or by bytes', async () => {
    for (const secret of ['text', Buffer.from('bytes')] as never[]) {
      const { ask } = await expressServer(count, { options: { secret } })
      expect((await ask('/', await ask())).body).toBe('2')
    }
  })

  it('is read from where a parser of cookies has put it, and has to be signed there too', async () => {
    const parsed: RequestHandler = (req, _, next) => {
      const [, value = ''] = /sid=([^;]+)/.exec(req.headers.cookie ?? '') ?? []
      delete req.headers.cookie
      req.cookies = { sid: decodeURIComponent(value) }
      next()
    }
    const { ask } = await expressServer(count, { before: parsed })
    const { cookie = '' } = await ask()
    expect((await ask('/', { cookie })).body).toBe('2')
    for (const wrong of [cookie.replace(/.{3}$/, 'xyz'), cookie.replace(/s%3A|\.[^.]*$/g, '')])
      expect((await ask('/', { cookie: wrong })).body).toBe('1')
    const signed = await expressServer((req, res) => void res.end(req.sessionID), {
      before: (req, _, next) => {
        const [, id] = /id=([^;]+)/.exec(req.headers.cookie ?? '') ?? []
        delete req.headers.cookie
        req.signedCookies = { sid: id }
        next()
      },
    })
    const { body } = await signed.ask()
    expect((await signed.ask('/', { cookie: `id=${body}` })).body).toBe(body)
  })

  it('is made by genid for each request, and written as cookies take it', async () => {
    const seen: string[] = []
    const stage = await expressServer(count)
    const genid = (req: { readonly url: string }): string => {
      seen.push(req.url)
      return stage.sessions.newId()
    }
    const { ask } = await expressServer(count, {
      stage,
      options: { genid } as Partial<SessionOptions>,
    })
    const { cookie } = await ask('/some')
    expect(seen).toEqual(['/some'])
    expect(cookie).toMatch(/^sid=s%3A[\w.~%-]+$/)
    expect(() => session({ genid: 'x' as never, secret: 'x' })).toThrow(/genid/)
  })
})
