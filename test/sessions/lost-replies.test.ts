/** Calls whose answer is lost after the server acted: the caller is told that nothing is known, and trying again does no harm. */

import { SessionUnavailableError } from '@larder/core'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startProxy, type TcpProxy } from '../support/proxy/tcp-proxy.ts'
import { openSessions, type Stage } from './support/stage.ts'

async function setUp(): Promise<Stage & { readonly proxy: TcpProxy; readonly direct: Stage }> {
  const proxy = await startProxy(Number(new URL(inject('redisUrl')).port))
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  const stage = openSessions('on Redis', {
    remote: redisStore({ url: proxy.url }),
    options: { storeTimeout: '300ms' },
  })
  const { namespace } = stage.caches
  const direct = openSessions('on Redis', { namespace })
  // The server knows all scripts from then on, so that each call is one answer.
  const { id } = await direct.sessions.create({})
  await direct.sessions.save(id, { userId: 'bob' })
  await direct.sessions.login(id, 'bob')
  return { ...stage, proxy, direct }
}

/** The answer of the n-th script about sessions from now on. */
function loseAnswer(proxy: TcpProxy, n: number): void {
  let seen = 0
  proxy.dropReplies({
    match: ({ name, args }) =>
      /^EVAL/.test(name) && args.some((arg) => arg.includes(':session:')) && seen++ === n,
    // biome-ignore lint/suspicious/noThenProperty: it is no promise
    then: 'reset',
  })
}

/** Tries as a user does, who is told that it did not work. */
async function again<Result>(call: () => Promise<Result>): Promise<Result> {
  let result: Result | undefined
  await eventually('the store answers', async () => {
    result = await call().catch(() => undefined)
    return result !== undefined
  })
  return result as Result
}

it.each([
  [0, 'of the end of the old one', 1],
  [1, 'of the new one', 2],
])('a login whose answer %i, that %s, is lost leaves the old session ended', async (n, _, left) => {
  const { sessions, direct, proxy } = await setUp()
  const { id } = await sessions.create({ cart: ['a'] })
  loseAnswer(proxy, n)
  await expect(sessions.login(id, 'ada')).rejects.toThrow(SessionUnavailableError)
  expect(await direct.sessions.get(id)).toBeUndefined()
  const after = await again(() => sessions.login(id, 'ada'))
  expect((await direct.sessions.get(after.id))?.data).toEqual({})
  // One whose id nobody was told ends with all others.
  expect(await direct.sessions.destroyAll('ada')).toBe(left)
  expect(await direct.sessions.list('ada')).toEqual([])
})

it.each([0, 1, 2])('a session becomes its user’s although answer %i is lost', async (n) => {
  const { sessions, direct, proxy } = await setUp()
  const { id } = await sessions.create({ cart: ['a'] })
  loseAnswer(proxy, n)
  const data = { userId: 'ada' }
  await expect(sessions.save(id, data)).rejects.toThrow(SessionUnavailableError)
  expect(await direct.sessions.get(id)).toBeDefined()
  expect(await again(() => sessions.save(id, data))).toBe(true)
  expect((await direct.sessions.get(id))?.data).toEqual(data)
  expect((await direct.sessions.list('ada')).map((session) => session.id)).toEqual([id])
  expect(await direct.sessions.destroyAll('ada')).toBe(1)
  expect(await direct.sessions.get(id)).toBeUndefined()
  expect(await sessions.save(id, data)).toBe(false)
})

it('a logout whose answer is lost is done, and can be tried again', async () => {
  const { sessions, direct, proxy } = await setUp()
  const { id } = await sessions.login(undefined, 'ada')
  loseAnswer(proxy, 0)
  await expect(sessions.destroy(id)).rejects.toThrow(SessionUnavailableError)
  expect(await direct.sessions.get(id)).toBeUndefined()
  await again(() => sessions.destroy(id))
  expect(await sessions.save(id, {})).toBe(false)
})
