import { describe, expect, it } from 'vitest'
import { parseCall } from '../arguments.ts'
import type { Shell } from '../shell.ts'
import { connectionFor } from './target.ts'

/** What the words of a call, and the environment, lead to. */
async function sourceOf(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const call = parseCall(['keys', ...words])
  if (call.kind !== 'command') throw new Error('not a command')
  const shell = { env, cwd: '/nowhere' } as unknown as Shell
  return (await connectionFor(call.options, shell)).source
}

describe('where Redis is', () => {
  it('is a URL, with everything that is in it', async () => {
    const url = 'rediss://me:pw@redis.example:6380/3'
    expect(await sourceOf([], { LARDER_URL: url })).toEqual({ url, options: {} })
    expect(await sourceOf([], { REDIS_URL: url })).toEqual({ url, options: {} })
    expect(await sourceOf(['--url', 'redis://a'], { LARDER_URL: url })).toMatchObject({
      url: 'redis://a',
    })
  })

  it('of a Cluster is some of its nodes, and the user of the first for all of them', async () => {
    const env = { LARDER_URL: 'redis://me:p%40w@a:1, redis://[::1]:2' }
    expect(await sourceOf(['--cluster'], env)).toEqual({
      cluster: [
        { host: 'a', port: 1 },
        { host: '::1', port: 2 },
      ],
      options: { username: 'me', password: 'p@w' },
    })
  })

  it('behind Sentinel is a name, with the database', async () => {
    const env = { LARDER_URL: 'redis://:pw@s1:26379/2,redis://s2:26380' }
    expect(await sourceOf(['--sentinel', 'mymaster'], env)).toEqual({
      options: {
        name: 'mymaster',
        sentinels: [
          { host: 's1', port: 26_379 },
          { host: 's2', port: 26_380 },
        ],
        password: 'pw',
        db: 2,
      },
    })
  })

  it('behind Sentinel is encrypted to the servers as well, where the URL says so', async () => {
    // ioredis connects in plain text to servers behind Sentinel unless the second is set, whatever the first says.
    expect(await sourceOf(['--sentinel', 'm'], { LARDER_URL: 'rediss://:pw@s1' })).toMatchObject({
      options: { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} },
    })
  })

  it.each<[string, readonly string[], Readonly<Record<string, string>>, RegExp]>([
    ['nothing', [], {}, /Nothing says/],
    ['an empty variable', [], { LARDER_URL: '', REDIS_URL: '' }, /Nothing says/],
    [
      'an authority without TLS',
      ['--ca', import.meta.filename],
      { LARDER_URL: 'redis://a' },
      /rediss/,
    ],
    [
      'a file that is not there',
      ['--ca', 'nothing.pem'],
      { LARDER_URL: 'rediss://a' },
      /cannot be read/,
    ],
    [
      'another protocol',
      ['--cluster'],
      { LARDER_URL: 'http://:secret@a' },
      /begins with redis:\/\//,
    ],
  ])('is not said by %s', async (_, words, env, message) => {
    const failure = await sourceOf(words, env).catch((error: Error) => error)
    expect(failure).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) })
    expect(String(failure)).not.toContain('secret')
  })
})
