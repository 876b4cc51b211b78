/** `larder sessions`: what a person may see of them, and that what is ended stays ended. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createSessions } from '@larder/plugins/sessions'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { larder } from './support/larder.ts'

function open(name?: string) {
  const namespace = freshNamespace()
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url: inject('redisUrl') }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const userOf = ({ userId }: { userId?: string }): string | undefined => userId
  const options = { idle: '1h', userOf, ...(name === undefined ? {} : { name }) } as const
  return { namespace, sessions: createSessions<{ userId?: string }>(caches, options) }
}

it('lists those of a user, and shows no part of their ids', async () => {
  const { namespace, sessions } = open()
  const { id } = await sessions.login(undefined, 'ada', { userId: 'ada' })
  // One that became the user's under its first id, and has another form of name.
  const { id: moved } = await sessions.create({})
  await sessions.save(moved, { userId: 'ada' })
  await sessions.login(undefined, 'bob', { userId: 'bob' })
  const { code, rows, stdout } = await larder(['sessions', 'ada', '--json'], namespace)
  expect(code).toBe(0)
  expect(rows).toHaveLength(2)
  for (const { session, begunAt, leftMs } of rows) {
    expect(session).toMatch(/^[0-9a-f]{12}$/)
    expect(Math.abs(Date.now() - Number(begunAt))).toBeLessThan(600_000)
    expect(leftMs).toBeGreaterThan(3_000_000)
  }
  for (const secret of [id, moved].flatMap((each) => each.split('~').slice(1)))
    if (secret.length > 7) expect(stdout).not.toContain(secret)
  const text = await larder(['sessions', 'ada'], namespace)
  expect(text.lines[0]).toMatch(/session +begun +left/i)
  expect((await larder(['sessions', 'nobody', '--json'], namespace)).rows).toEqual([])
})

it('ends one, which no late save brings back, and leaves the others', async () => {
  const { namespace, sessions } = open()
  const all = [
    await sessions.login(undefined, 'ada', { userId: 'ada' }),
    await sessions.login(undefined, 'ada', { userId: 'ada' }),
  ]
  const [row] = (await larder(['sessions', 'ada', '--json'], namespace)).rows
  const ask = ['sessions', 'ada', '--end', String(row?.['session'])]
  expect((await larder(ask, namespace)).code).toBe(2)
  expect((await larder([...ask, '--dry-run'], namespace)).code).toBe(0)
  expect(await sessions.list('ada')).toHaveLength(2)
  const { code, rows } = await larder([...ask, '--yes', '--json'], namespace)
  expect([code, rows]).toEqual([0, [{ namespace, ended: 1 }]])
  const left = await sessions.list('ada')
  expect(left).toHaveLength(1)
  const ended = all.find(({ id }) => id !== left[0]?.id)
  expect(await sessions.save(ended?.id ?? '', { userId: 'ada' })).toBe(false)
  expect((await larder([...ask, '--yes'], namespace)).code).toBe(4)
})

it('ends all of a user in the sessions of a name, moved ones too', async () => {
  const { namespace, sessions } = open('staff')
  const { id } = await sessions.create({})
  await sessions.save(id, { userId: 'ada' })
  const other = await sessions.login(undefined, 'ada', { userId: 'ada' })
  const bob = await sessions.login(undefined, 'bob', { userId: 'bob' })
  expect((await larder(['sessions', 'ada', '--json'], namespace)).rows).toEqual([])
  const asked = ['sessions', 'ada', '--name', 'staff', '--end-all', '--yes', '--json']
  expect((await larder(asked, namespace)).rows).toEqual([{ namespace, ended: 2 }])
  for (const each of [id, other.id]) {
    expect(await sessions.get(each)).toBeUndefined()
    expect(await sessions.save(each, { userId: 'ada' })).toBe(false)
  }
  expect(await sessions.get(bob.id)).toBeDefined()
})

it.each([
  [['sessions'], /USER/],
  [['sessions', 'ada', '--name', 'a b'], /--name takes/],
  [['sessions', 'ada', '--end', 'x', '--end-all'], /exclude/],
  [['sessions', ''], /USER is a text/],
])('refuses %o', async (args, message) => {
  const { code, stderr } = await larder(args, freshNamespace())
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})
