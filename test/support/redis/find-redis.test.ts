import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findOwnRedis, findSharedRedis, type RedisProbes } from './find-redis.ts'

describe('the search for a Redis', () => {
  let folder: string
  let asked: string[]

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'larder-path-'))
    asked = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function probes(answers: {
    readonly env?: Record<string, string>
    readonly docker?: boolean
    readonly installs?: () => void
  }): RedisProbes {
    return {
      env: { PATH: ['', '/nowhere', folder].join(delimiter), ...answers.env },
      dockerAnswers: async () => {
        asked.push('docker')
        return answers.docker ?? false
      },
      installWithApt: async () => {
        asked.push('apt')
        answers.installs?.()
        return answers.installs ? { kind: 'installed' } : { kind: 'unfit', why: 'not root' }
      },
    }
  }

  function place(name: string, mode = 0o755): string {
    const path = join(folder, name)
    writeFileSync(path, '#!/bin/sh\n')
    chmodSync(path, mode)
    return path
  }

  it('takes REDIS_URL first for what is shared, and never for what is killed', async () => {
    const server = place('redis-server')
    const given = probes({ env: { REDIS_URL: 'redis://elsewhere:1' } })
    expect(await findSharedRedis(given)).toEqual({ kind: 'url', url: 'redis://elsewhere:1' })
    expect(await findOwnRedis(given)).toEqual({ kind: 'binary', server })
    expect(await findSharedRedis(probes({}))).toEqual({ kind: 'binary', server })
  })

  it('takes redis-server before valkey-server, and only what can be executed', async () => {
    const valkey = place('valkey-server')
    const redis = place('redis-server', 0o644)
    expect(await findOwnRedis(probes({}))).toEqual({ kind: 'binary', server: valkey })
    chmodSync(redis, 0o755)
    expect(await findOwnRedis(probes({}))).toEqual({ kind: 'binary', server: redis })
    expect(asked).toEqual([])
  })

  it('then takes Docker, when its engine answers', async () => {
    expect(await findOwnRedis(probes({ docker: true }))).toEqual({ kind: 'docker' })
    expect(asked).toEqual(['docker'])
  })

  it('installs it as the last resort', async () => {
    const found = await findOwnRedis(probes({ installs: () => place('redis-server') }))
    expect(found).toEqual({ kind: 'binary', server: join(folder, 'redis-server') })
    expect(asked).toEqual(['docker', 'apt'])
  })

  it('fails with one error that says what to do', async () => {
    const error = await findSharedRedis(probes({})).catch((reason: Error) => reason)
    expect(String(error)).toMatch(/^Error: These tests need a real Redis, and none was found/)
    for (const word of [
      'on PATH',
      'start Docker',
      'set REDIS_URL',
      'apt-get install redis-server: not root',
    ]) {
      expect(String(error)).toContain(word)
    }
  })

  it('shows what apt-get said when it failed', async () => {
    const failing: RedisProbes = {
      ...probes({ env: { REDIS_URL: 'redis://:secret@host' } }),
      installWithApt: async () => ({ kind: 'failed', output: 'E: no network\nE: give up' }),
    }
    const error = await findOwnRedis(failing).catch((reason: Error) => reason)
    expect(String(error)).toContain('failed:\n      E: no network\n      E: give up')
    expect(String(error)).toContain('need servers of their own')
    expect(String(error)).not.toContain('secret')
  })
})
