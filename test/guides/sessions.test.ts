/** The examples of sessions run, and a user logs out there, elsewhere and everywhere: in process and on a Redis. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'
import { ROOT } from '../docs/pages.ts'

const LONGEST_MS = 120_000

async function run(example: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { REDIS_URL: _url, ...rest } = process.env
  const args = ['--conditions=larder-source', '--import', 'tsx', `${example}/main.ts`]
  const how = { cwd: join(ROOT, 'examples'), env: { ...rest, ...env }, timeout: LONGEST_MS }
  const { stdout } = await promisify(execFile)(process.execPath, args, how)
  return stdout
}

const EXPECTED = [
  /^laptop {3}GET \/devices +401 /,
  /^laptop {3}POST \/login\/ada +200 /,
  /^phone {4}POST \/login\/ada +200 /,
  /^library {2}POST \/login\/ada +200 /,
  /^laptop {3}GET \/devices +200 (?=.*"laptop","here":true)(?=.*"phone","here":false)(?=.*"library","here":false)/,
  /^library {2}POST \/logout +200 /,
  /^library {2}GET \/devices +401 /,
  /^laptop {3}POST \/logout-elsewhere +200 \{"ended":1\}$/,
  /^phone {4}GET \/devices +401 /,
  /^phone {4}POST \/login\/ada +200 /,
  /^phone {4}POST \/logout-everywhere +200 \{"ended":2\}$/,
  /^laptop {3}GET \/devices +401 /,
]

it.each(['express-sessions', 'hono-sessions'])(
  '%s',
  async (example) => {
    for (const env of [{}, { REDIS_URL: inject('redisUrl') }]) {
      const lines = (await run(example, env)).trim().split('\n')
      expect(lines).toHaveLength(EXPECTED.length)
      for (const [i, line] of lines.entries()) expect(line).toMatch(EXPECTED[i] as RegExp)
    }
  },
  LONGEST_MS,
)
