import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { sourceRunner } from '../process/source-runner.ts'
import { startRedis } from './redis-server.ts'

describe('a Redis server of the test', () => {
  it('answers, keeps nothing on disk and leaves no folder behind', async () => {
    const redis = await startRedis()
    const client = new Redis(redis.url)
    await client.set('a', '1')
    expect(await client.config('GET', 'save')).toEqual(['save', ''])
    const [, dir] = (await redis.command('CONFIG', 'GET', 'dir')) as [string, string]
    expect(existsSync(dir)).toBe(true)
    client.disconnect()
    await redis.stop()
    await redis.stop()
    expect(existsSync(dir)).toBe(false)
    expect(redis.isRunning).toBe(false)
    await expect(redis.command('PING')).rejects.toThrow('ECONNREFUSED')
  })

  it('starts many at once, each on a port of its own', async () => {
    const servers = await Promise.all(Array.from({ length: 4 }, () => startRedis()))
    expect(new Set(servers.map(({ port }) => port)).size).toBe(4)
    await Promise.all(servers.map((server) => server.stop()))
  })

  it('refuses a port that another Redis has, instead of taking that one for its own', async () => {
    await using first = await startRedis()
    await expect(startRedis({ port: first.port })).rejects.toThrow('Address already in use')
    expect(await first.command('PING')).toBe('PONG')
  })

  it('says why a server did not start', async () => {
    await expect(startRedis({ args: ['--no-such-option', 'x'] })).rejects.toThrow(/no-such-option/)
  })

  it('hangs while paused and goes on when resumed', async () => {
    await using redis = await startRedis()
    const client = new Redis(redis.url)
    await client.ping()
    await redis.pause()
    const answer = client.ping()
    // A running server answers within a millisecond.
    const silence = new Promise((resolve) => setTimeout(() => resolve('silence'), 50))
    expect(await Promise.race([answer, silence])).toBe('silence')
    await redis.resume()
    expect(await answer).toBe('PONG')
    client.disconnect()
  })

  it('breaks connections when killed and comes back on the same port, empty', async () => {
    await using redis = await startRedis()
    const client = new Redis(redis.url, { retryStrategy: () => 20 })
    client.on('error', () => {})
    await client.set('a', '1')
    const { pid } = redis
    await redis.kill()
    expect(redis.isRunning).toBe(false)
    await eventually('the client notices', () => client.status !== 'ready')
    await redis.restart()
    expect(redis.pid).not.toBe(pid)
    expect(await client.get('a')).toBeNull()
    client.disconnect()
  })

  it('keeps or drops its data over a restart, as asked', async () => {
    await using redis = await startRedis()
    await redis.command('SET', 'a', '1')
    await redis.restart({ keepData: true })
    expect(await redis.command('GET', 'a')).toBe('1')
    await redis.restart()
    expect(await redis.command('GET', 'a')).toBeNull()
  })

  it('starts again after a stop', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'se cret'] })
    await redis.stop()
    await redis.restart()
    const client = new Redis(redis.url)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })

  it('passes the reply of an error on', async () => {
    await using redis = await startRedis()
    await redis.command('SET', 'a', 'text')
    await expect(redis.command('INCR', 'a')).rejects.toThrow('not an integer')
  })

  it.each(['crash', 'SIGKILL', 'end'])('dies with the process that started it: %s', async (way) => {
    const script = fileURLToPath(new URL('./testing/leaks-a-server.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...sourceRunner(),
      script,
      way,
    ]).catch((error: { stdout: string }) => error)
    const { pid, dir } = JSON.parse(stdout) as { pid: number; dir: string }
    await eventually('the orphan is killed', async () => !(await isAlive(pid)))
    await eventually('its folder is removed', () => !existsSync(dir))
  })
})

/** A killed process stays a zombie for as long as its adoptive parent doesn't look. */
async function isAlive(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return isKnown(pid)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone) Z')
  return !/\) [ZX]/.test(stat)
}

function isKnown(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
