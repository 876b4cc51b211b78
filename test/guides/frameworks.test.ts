/** The examples of frameworks run, and show a client that is refused: in process and on a Redis. */

import { expect, inject, it } from 'vitest'
import { LONGEST_EXAMPLE_MS, runExample } from '../support/process/run-example.ts'

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
    const outputs = [
      await runExample(example, {}),
      await runExample(example, { REDIS_URL: inject('redisUrl') }),
    ]
    for (const output of outputs) {
      for (const line of EXPECTED[example] ?? []) expect(output).toMatch(line)
    }
  },
  LONGEST_EXAMPLE_MS,
)
