/** What a script says that was set up wrongly, without a listener and without a logger. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../test/support/free-port.ts'

const FOLDER = join(import.meta.dirname, '..', 'testing')
const run = promisify(execFile)

async function say(
  steps: readonly string[],
  ioredis?: 'missing' | 'bundled',
): Promise<{ out: readonly string[]; warnings: readonly string[] }> {
  const args = ['--conditions', 'larder-source', '--import', 'tsx']
  const hook = join(FOLDER, 'without-ioredis.mjs')
  const url = `redis://app:hunter2@127.0.0.1:${await freePort()}`
  const { stdout, stderr } = await run(
    process.execPath,
    [...args, '--import', hook, join(FOLDER, 'says.ts'), url, ...steps],
    {
      cwd: join(import.meta.dirname, '../../../test'),
      env: { ...process.env, ...(ioredis === undefined ? {} : { IOREDIS: ioredis }) },
      timeout: 30_000,
    },
  )
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
  const warnings = lines(stderr).filter((line) => line.includes('Larder'))
  expect(stdout + stderr).not.toContain('hunter2')
  return { out: lines(stdout), warnings }
}

describe('a Redis that is not there', () => {
  it('is said in one line, and reads go on', async () => {
    const { out, warnings } = await say(['read', 'ready'])
    expect(out[0]).toBe('read')
    expect(out[1]).toMatch(/^ready StoreUnavailableError/)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(
      /LarderWarning: Larder \(script\): the remote store was never reached: connect ECONNREFUSED/,
    )
  })

  it('is not said where silence is asked for', async () => {
    const { out, warnings } = await say(['silent', 'read', 'status'])
    expect(JSON.parse(out[1] ?? '')).toMatchObject({
      state: 'unreachable',
      reason: expect.stringContaining('ECONNREFUSED'),
    })
    expect(warnings).toEqual([])
  })
})

describe('an ioredis that is not there', () => {
  it('is thrown by the first lock, the first limit and ready, and said in one line', async () => {
    const { out, warnings } = await say(['read', 'lock', 'limit', 'ready'], 'missing')
    expect(out[0]).toBe('read')
    for (const [i, step] of ['lock', 'limit', 'ready'].entries()) {
      expect(out[i + 1]).toBe(
        `${step} StoreSetupError: @larder/redis-store needs the package ioredis, 5.4 or newer, and it is not installed: Cannot find package 'ioredis'`,
      )
    }
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/cannot be used as it is set up: .*ioredis/)
  })

  it('because it was bundled is told apart', async () => {
    const { out } = await say(['ready'], 'bundled')
    expect(out[0]).toMatch(
      /could not load the package ioredis: Dynamic require of "events" is not supported\. .*createRequire/,
    )
  })
})
