/** What a Redis user must be allowed to, and what is said where it is not. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import {
  at,
  claim,
  entry,
  freshNamespace,
  HARD,
  HOUR_MS,
  listen,
  put,
} from '../../testing/stage.ts'
import { redisStore } from '../redis-store.ts'
import { SCRIPTS } from '../scripts.generated.ts'
import { COMMANDS, type Use } from './rights.ts'

async function serverWith(rules: string): Promise<RedisServer> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules.split(' '))
  return server
}

/** A store as this user, and what it says is missing. */
function openAs(server: RedisServer, namespace: string) {
  const store = redisStore({ url: `redis://app:secret@127.0.0.1:${server.port}`, pingEvery: 100 })
  onTestFinished(() => store.close())
  const said: string[] = []
  store.onTrouble?.((error) => void said.push(error.message))
  store.open(namespace)
  return { store, said }
}

function useOf(script: string): Use {
  if (script.startsWith('lock')) return 'locks'
  if (script.startsWith('limit')) return 'limits'
  if (script.startsWith('fleet')) return 'fleet'
  if (/^(board|counter|unique)/.test(script)) return 'boards'
  if (script.startsWith('event')) return 'eventStore'
  if (script.startsWith('session')) return 'sessions'
  if (script.startsWith('stream')) return 'streams'
  if (script.startsWith('structure')) return 'structures'
  if (script.startsWith('write')) return 'writes'
  return script.startsWith('fenced') ? 'values' : 'cache'
}

const OUTSIDE_SCRIPTS: Readonly<Record<Use, readonly string[]>> = {
  cache: [
    'eval',
    'evalsha',
    'get',
    'mget',
    'getrange',
    'ping',
    'publish',
    'set',
    'time',
    'zmscore',
    'zrem',
    'zscore',
  ],
  locks: ['eval', 'evalsha', 'ping', 'zrem'],
  limits: ['eval', 'evalsha', 'ping', 'zrem'],
  sessions: ['eval', 'evalsha', 'ping', 'zrem'],
  boards: ['eval', 'evalsha', 'ping', 'zrem'],
  streams: ['eval', 'evalsha', 'ping', 'xreadgroup', 'zrem'],
  eventStore: ['eval', 'evalsha', 'ping', 'zrem'],
  topics: ['ping', 'publish', 'zrem'],
  structures: ['eval', 'evalsha', 'ping', 'zrem'],
  writes: ['eval', 'evalsha', 'ping', 'zrem'],
  values: ['eval', 'evalsha', 'mget', 'ping', 'zrem'],
  fleet: ['eval', 'evalsha', 'hmget', 'ping', 'time', 'zrange', 'zrem'],
}

describe('the rights looked at', () => {
  it.each(Object.keys(COMMANDS) as Use[])('are those that the %s use', (use) => {
    const used = new Set(OUTSIDE_SCRIPTS[use])
    for (const [name, { lua }] of Object.entries(SCRIPTS)) {
      if (useOf(name) !== use) continue
      for (const [, command = ''] of lua.matchAll(/\bp?call\('([A-Z]+)'/g))
        used.add(command.toLowerCase())
    }
    expect([...COMMANDS[use]].sort()).toEqual([...used].sort())
  })

  it.each(Object.keys(COMMANDS) as Use[])('are in the guide for the %s', (use) => {
    const guide = readFileSync(
      join(import.meta.dirname, '../../../../docs/guides/operations.md'),
      'utf8',
    )
    const row = guide.split('\n').find((line) => line.startsWith(`| ${use} |`)) ?? ''
    const documented = [...row.matchAll(/\+(\w+)/g)].map(([, name]) => name)
    const own = new Set<string>(COMMANDS[use])
    expect(documented.filter((name) => own.has(name ?? '')).sort()).toEqual([...own].sort())
  })
})

describe('a user with', () => {
  it('the rights of the guide lacks nothing, and nothing is left behind or printed', async () => {
    const prints = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
    const namespace = freshNamespace()
    const rights = COMMANDS.cache.map((command) => `+${command}`).join(' ')
    const server = await serverWith(
      `~{${namespace}:* &${namespace}:* ${rights} +subscribe +unsubscribe`,
    )
    const { store, said } = openAs(server, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.sync([1, 2, 3])
    await store.claim(at('k'), claim(1))
    await store.fill(at('k'), 1, entry(), HOUR_MS)
    await store.read([at('k')])
    await store.readHeaders([at('k')])
    await store.put(at('k'), put())
    await store.evict([at('k')], HARD)
    await store.evict([at('k')], { soft: true, settleMs: 100 })
    await store.bumpTags(['t'], 0, 1)
    await store.tagsSince(0)
    await store.changesSince(3, 0)
    await eventually('messages arrive', () => recorder.messages.length >= 4)
    expect(said).toEqual([])
    expect(await server.command('EXISTS', `{${namespace}:rights}`)).toBe(0)
    for (const print of prints) {
      expect(print).not.toHaveBeenCalled()
      print.mockRestore()
    }
  })

  it.each<[string, string, RegExp]>([
    ['no keys of ours', '~NS* &* +@all', /keys that begin with \{NS: \(~\{NS:\*\)\. docs/],
    ['no channels', '~* resetchannels +@all', /channels that begin with NS: \(&NS:\*\)\. docs/],
    ['no scripts', '~* &* +@all -@scripting', /right to the commands eval evalsha\. docs/],
    ['no EVAL', '~* &* +@all -eval', /right to the commands eval\. docs/],
    ['no TIME', '~* &* +@all -time', /right to the commands time\. docs/],
    [
      'two rights less',
      '~* &* +@all -zmscore -unlink',
      /right to the commands unlink zmscore\. docs/,
    ],
    ['several things less', '~NS* &* +@all -zscore', /commands zscore, and to keys that begin/],
  ])('%s is told so once, all in one', async (_, rules, message) => {
    const namespace = freshNamespace()
    const server = await serverWith(rules.replaceAll('NS', namespace))
    const { store, said } = openAs(server, namespace)
    await eventually('it is said', () => said.length > 0)
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined)
    await eventually('it is connected again', async () => {
      const outcome = await store.read([at('k')]).catch((error: unknown) => error)
      return (
        Array.isArray(outcome) || (outcome as { code?: unknown }).code === 'LARDER_STORE_REFUSED'
      )
    })
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(new RegExp(message.source.replaceAll('NS', namespace)))
    expect(said[0]).not.toMatch(/secret/)
  })

  it.each([
    ['no INFO', '-info'],
    ['no PING', '-ping'],
    ['no CLIENT', '-client'],
  ])('%s is served', async (_, rule) => {
    const prints = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
    const namespace = freshNamespace()
    const server = await serverWith(`~* &* +@all ${rule}`)
    const { store } = openAs(server, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.put(at('k'), put())
    // Past a few pings.
    const asked = async (): Promise<number> =>
      Number(
        /cmdstat_ping:\S*rejected_calls=(\d+)/.exec(
          String(await server.command('INFO', 'commandstats')),
        )?.[1] ?? 0,
      )
    if (rule === '-ping') await eventually('it pinged', async () => (await asked()) > 3)
    expect(await store.read([at('k')])).not.toEqual([undefined])
    expect(recorder.states).not.toContain('down')
    for (const print of prints) {
      expect(print).not.toHaveBeenCalled()
      print.mockRestore()
    }
  })

  it('no SUBSCRIBE is told which right and which channels', async () => {
    const namespace = freshNamespace()
    const server = await serverWith('~* &* +@all -subscribe')
    const { store } = openAs(server, namespace)
    const reasons: unknown[] = []
    store.bus?.subscribe(namespace, {
      onMessage: () => undefined,
      onUp: () => undefined,
      onDoubt: () => undefined,
      onDown: (reason) => reasons.push(reason),
      onGarbage: () => undefined,
    })
    await eventually('it is down', () => reasons.length > 0)
    expect(reasons[0]).toMatchObject({ code: 'LARDER_STORE_REFUSED', reason: 'rights' })
    expect(String(reasons[0])).toMatch(
      `It needs SUBSCRIBE and channels that begin with ${namespace}:`,
    )
  })
})

describe('a replica for an address', () => {
  it('is recognised, said, and not used', async () => {
    const master = await startRedis()
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
    onTestFinished(async () => {
      await replica.stop()
      await master.stop()
    })
    const namespace = freshNamespace()
    const store = redisStore({ url: replica.url })
    onTestFinished(() => store.close())
    store.open(namespace)
    const recorder = listen(store, namespace)
    const error = (await store.put(at('k'), put()).catch((reason: unknown) => reason)) as Error
    expect(error.cause).toMatchObject({ code: 'LARDER_STORE_REFUSED', reason: 'readonly' })
    expect(String(error.cause)).toMatch(/READONLY .* replica\. Give the address of the master/)
    expect(store.ready).toBe(false)
    await eventually('it is said to be down', () => recorder.states.length > 0)
    expect(recorder.states).toEqual(['down'])
    await replica.command('REPLICAOF', 'NO', 'ONE')
    await eventually('it is used', () => store.put(at('k'), put()))
  })

  it('that was a master until now confirms nothing any more', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const store = redisStore({ url: server.url })
    onTestFinished(() => store.close())
    store.open(freshNamespace())
    expect((await store.sync([0])).heads).toHaveLength(1)
    // Nobody has to be there for it to be a replica of.
    await server.command('REPLICAOF', '127.0.0.1', '1')
    await expect(store.sync([0])).rejects.toMatchObject({ reason: 'readonly' })
    await eventually('it is not used', () => !store.ready)
  })
})
