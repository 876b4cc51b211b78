/** The small sites run: pages from the cache, a page of one user, and a user who logs out everywhere: in process and on a Redis. */

import { expect, inject, it } from 'vitest'
import { LONGEST_EXAMPLE_MS, runExample } from '../support/process/run-example.ts'

const DEVICES = [
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

const OWN_PAGE = [
  /^\/me for stranger: \{"page":"of nobody","rendered":1\} \(larder; fwd=uri-miss\)$/,
  /^\/me for stranger: \{"page":"of nobody","rendered":2\} \(larder; fwd=uri-miss\)$/,
  /^\/me for ada: \{"page":"of ada","rendered":3\} \(larder; fwd=bypass; detail=cookie\)$/,
  /^\/me for ada: \{"page":"of ada","rendered":4\} \(larder; fwd=bypass; detail=cookie\)$/,
  /^\/me for grace: \{"page":"of grace","rendered":5\} \(larder; fwd=bypass; detail=cookie\)$/,
]

const PAGES: Readonly<Record<string, readonly RegExp[]>> = {
  'site-express': [
    /^\/products\/42: .* costs 490, rendered 1 \(larder; /,
    /^\/products\/42: .* costs 490, rendered 1 \(larder; /,
    /^\/products\/42: .* costs 490, rendered 1 \(larder; /,
    /^PUT \/products\/42$/,
    /^\/products\/42: .* costs 520, rendered 2 \(larder; fwd=uri-miss; stored\)$/,
    /^POST \/import$/,
    /^\/products\/42: .* costs 550, rendered 3 \(larder; fwd=uri-miss; stored\)$/,
    /^\/products\/42: .* costs 550, rendered 3 \(larder; hit\)$/,
  ],
  'site-hono': [
    /^en: Quince jam, rendered 1 \(larder; fwd=uri-miss; stored\)$/,
    /^de: Quittenmarmelade, rendered 2 \(larder; fwd=vary-miss; stored\)$/,
    /^en: Quince jam, rendered 1 \(larder; hit\)$/,
    /^de: Quittenmarmelade, rendered 2 \(larder; hit\)$/,
    /^edited$/,
    /^de: Quittenkonfitüre, rendered 3 \(larder; fwd=uri-miss; stored\)$/,
    /^de: Quittenkonfitüre, rendered 3 \(larder; hit\)$/,
    /^en: Quince jam, rendered 4 \(larder; /,
  ],
}

it.each(Object.keys(PAGES))(
  '%s',
  async (example) => {
    const expected = [...(PAGES[example] ?? []), ...OWN_PAGE, ...DEVICES]
    for (const env of [{}, { REDIS_URL: inject('redisUrl') }]) {
      const lines = (await runExample(example, env)).trim().split('\n')
      expect(lines).toHaveLength(expected.length)
      for (const [i, line] of lines.entries()) expect(line).toMatch(expected[i] as RegExp)
    }
  },
  LONGEST_EXAMPLE_MS,
)
