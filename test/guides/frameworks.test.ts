/** The examples of frameworks run, and show a client that is refused: in process and on a Redis. */

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

const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  express: [
    /^\/api\/hello 200 "burst";r=2;t=\d+, "daily";r=9999;t=\d+$/m,
    /^\/api\/export 200 "burst";r=1;t=\d+, "daily";r=9998;t=\d+, "exports";r=1$/m,
    /^\/api\/nothing 429 "burst";r=0;t=\d+$/m,
    /quota-exceeded/,
  ],
  fastify: [
    /^\/search 200 "all";r=99;t=\d+, "GET-search-[\w-]+";r=2;t=\d+$/m,
    /^\/export 200 "all";r=97;t=\d+, "exports";r=1$/m,
    /^\/nothing 404 "all";r=96;t=\d+$/m,
    /^\/health 200 null$/m,
    /^\/search 429 "GET-search-[\w-]+";r=0;t=\d+$/m,
    /quota-exceeded/,
  ],
  hono: [
    /^ada 200 "user";r=2;t=\d+, "everybody";r=999;t=1$/m,
    /^grace 200 "user";r=2;t=\d+, /m,
    /^ada 429 "user";r=0;t=\d+$/m,
    /quota-exceeded/,
  ],
}

it.each(Object.keys(EXPECTED))(
  '%s',
  async (example) => {
    const outputs = [await run(example, {}), await run(example, { REDIS_URL: inject('redisUrl') })]
    for (const output of outputs) {
      for (const line of EXPECTED[example] ?? []) expect(output).toMatch(line)
    }
  },
  LONGEST_MS,
)
