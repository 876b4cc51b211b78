/** What sessions promise through real servers: slow requests beside a logout, each framework alone and together. */

import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { APPS, Browser, startExpress, startFastify } from './support/apps.ts'
import { openSessions, PLACES } from './support/stage.ts'

const MANY = 50

describe.each(PLACES)('with sessions %s', (place) => {
  describe.each(Object.entries(APPS))('%s', (_, start) => {
    it('knows who is logged in, gives the session another id then, and forgets with the logout', async () => {
      const { sessions } = openSessions(place)
      const { url } = await start(sessions)
      const browser = new Browser(url)
      expect(await browser.body('GET', '/me')).toBeNull()
      await browser.send('GET', '/visit')
      const anonymous = browser.cookies.get('sid')
      expect(await browser.body('POST', '/login/ada')).toBe('ada')
      expect(browser.cookies.get('sid')).not.toBe(anonymous)
      expect(await browser.body('GET', '/me')).toBe('ada')
      expect(await browser.body('GET', '/visit')).toBe(1)
      expect(await browser.body('GET', '/visit')).toBe(2)
      expect(await sessions.list('ada')).toHaveLength(1)
      const window = browser.copy()
      await browser.send('POST', '/logout')
      expect(await window.body('GET', '/me')).toBeNull()
      expect(await sessions.list('ada')).toEqual([])
    })

    it.each([
      ['/slow', '/logout'],
      ['/slow-visit', '/logout'],
      ['/slow', '/logout-everywhere'],
      ['/slow-visit', '/logout-everywhere'],
    ])(
      'does not bring a session back by %i slow requests to %s beside %s',
      async (path, logout) => {
        const { sessions, refused } = openSessions(place)
        const { url, gate } = await start(sessions)
        const browser = new Browser(url)
        await browser.send('POST', '/login/ada')
        const slow = Array.from({ length: MANY }, () => browser.copy().send('GET', path))
        await eventually('all requests are in their handlers', () => gate.arrived === MANY)
        const window = browser.copy()
        await browser.send('POST', logout)
        gate.open()
        for (const { status } of await Promise.all(slow)) expect(status).toBe(200)
        expect(await window.body('GET', '/me')).toBeNull()
        expect(await sessions.list('ada')).toEqual([])
        // Of Hono, nothing is saved by a request that only reads.
        if (path === '/slow-visit') expect(refused.length).toBeGreaterThan(0)
      },
    )

    it('logs out everywhere at once', async () => {
      const { sessions } = openSessions(place)
      const { url } = await start(sessions)
      const devices = Array.from({ length: 3 }, () => new Browser(url))
      for (const device of devices) await device.send('POST', '/login/ada')
      const other = new Browser(url)
      await other.send('POST', '/login/bob')
      expect(await devices[0]?.body('POST', '/logout-everywhere')).toBe(3)
      for (const device of devices) expect(await device.body('GET', '/me')).toBeNull()
      expect(await other.body('GET', '/me')).toBe('bob')
    })

    it('goes by the first of several cookies of its name, and by no other where that one is no session', async () => {
      const { sessions } = openSessions(place)
      const { url } = await start(sessions)
      const [ada, bob] = [new Browser(url), new Browser(url)]
      await ada.send('POST', '/login/ada')
      await bob.send('POST', '/login/bob')
      const [a, b] = [ada, bob].map(({ cookies }) => `sid=${cookies.get('sid')}`) as [
        string,
        string,
      ]
      const me = async (cookie: string): Promise<unknown> =>
        (await fetch(`${url}/me`, { headers: { cookie } })).json()
      expect(await me(`${a}; ${b}`)).toBe('ada')
      expect(await me(`${b}; ${a}`)).toBe('bob')
      expect(await me(`other=1; ${b};${a}`)).toBe('bob')
      // A cookie for a longer path comes first, and other hosts of a domain may set one: it can log out, and not in as somebody else.
      for (const first of ['sid=', 'sid=x', 'sid=s%3Ax.y', a.replace(/.{4}$/, 'AAAA')])
        expect(await me(`${first}; ${a}`), first).toBeNull()
    })

    it('answers a forged or foreign cookie as none', async () => {
      const { sessions } = openSessions(place)
      const { url } = await start(sessions)
      const browser = new Browser(url)
      await browser.send('POST', '/login/ada')
      const cookie = browser.cookies.get('sid') ?? ''
      for (const forged of [
        `${cookie}x`,
        cookie.slice(2),
        sessions.newId(),
        '%00',
        'x'.repeat(4_000),
      ]) {
        const stranger = new Browser(url)
        stranger.cookies.set('sid', forged)
        expect(await stranger.send('GET', '/me')).toEqual({ status: 200, body: null })
      }
    })
  })

  it('is one session for two frameworks on one store', async () => {
    const { sessions } = openSessions(place)
    const [one, two] = [await startExpress(sessions), await startFastify(sessions)]
    const first = new Browser(one.url)
    await first.send('POST', '/login/ada')
    const { id } = (await sessions.list('ada'))[0] ?? { id: '' }
    expect((await sessions.get(id))?.data.userId).toBe('ada')
    const second = new Browser(two.url)
    await second.send('POST', '/login/ada')
    expect(await sessions.list('ada')).toHaveLength(2)
    expect(await second.body('POST', '/logout-everywhere')).toBe(2)
    expect(await first.body('GET', '/me')).toBeNull()
    expect(await second.body('GET', '/me')).toBeNull()
  })
})
