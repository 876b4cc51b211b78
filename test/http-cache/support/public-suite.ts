/**
 * Runs the public tests of HTTP caches (https://cache-tests.fyi): their client asks a server with our cache, whose handler asks their
 * origin. Both are in this process, and stand on real sockets.
 */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import * as config from 'http-cache-tests/client/config.mjs'
import { makeCacheTest, testResults } from 'http-cache-tests/client/test.mjs'
import handleConfig from 'http-cache-tests/server/handle-config.mjs'
import handleState from 'http-cache-tests/server/handle-state.mjs'
import handleTest from 'http-cache-tests/server/handle-test.mjs'
import suites from 'http-cache-tests/tests/index.mjs'
import { onTestFinished } from 'vitest'
import { listen } from '../../http-limits/support/frameworks.ts'
import type { Framework, Rendered, Seen } from './frameworks.ts'

export interface PublicTest {
  readonly id: string
  readonly kind?: 'required' | 'optimal' | 'check'
  readonly browser_only?: boolean
  readonly cdn_only?: boolean
}

export interface PublicSuite {
  readonly tests: readonly PublicTest[]
}

export type PublicHandler = (
  segments: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
) => void

const VARY = ['abc', 'foo', 'bar', 'baz', 'accept-language']
const PASS = ['req-num', 'test-id', 'test-name']
const SEEN = [...VARY, ...PASS, 'authorization', 'if-none-match', 'if-modified-since', 'range']
/** So many tests run at once: most of them wait. */
const AT_ONCE = 100
/** A test that did not end as it should is run again: they have seconds for what takes milliseconds, and machines are busy. */
const ROUNDS = 3

const HANDLERS: Readonly<Record<string, PublicHandler>> = {
  config: handleConfig,
  state: handleState,
  test: handleTest,
}

/** All that apply to a cache that is neither a browser's nor a CDN's. */
export const PUBLIC_TESTS: readonly PublicTest[] = suites
  .flatMap(({ tests }) => tests)
  .filter((test) => test.browser_only !== true && test.cdn_only !== true)

/** Returns the ids of tests that failed, each with what was not so. `expected`: those that may fail. */
export async function failuresOf(
  framework: Framework,
  expected: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const origin = await listen(createServer(answer))
  const caches = createCacheManager({ namespace: 'public', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  const { url } = await framework.start({
    caches,
    options: {
      vary: VARY,
      pass: PASS,
      query: ['foo', 'bar', 'baz', 'test'],
      authorized: true,
      revalidate: '1m',
    },
    render: (seen) => asked(origin.port, seen),
  })
  // What is told to the origin, and asked of it, goes past the cache.
  const ask = (target: string, init: RequestInit): Promise<Response> =>
    fetch(
      /^\/(?:config|state)\//.test(target.slice(url.length))
        ? target.replace(url, origin.url)
        : target,
      init,
    )
  config.setFetch(ask)
  config.setBaseUrl(url)
  for (const { id } of PUBLIC_TESTS) delete testResults[id]
  let left: readonly PublicTest[] = PUBLIC_TESTS
  for (let round = 0; round < ROUNDS && left.length > 0; round += 1) {
    for (const { id } of left) delete testResults[id]
    await quietly(() => runAll(left))
    left = left.filter(({ id, kind }) => {
      return kind !== 'check' && testResults[id] !== true && !expected.has(id)
    })
  }
  const failed = PUBLIC_TESTS.filter(({ id }) => testResults[id] !== true)
  return new Map(failed.map(({ id }) => [id, String(testResults[id])]))
}

/** Their own runner keeps what it has run, and would run it again. A test that runs writes its dates into itself. */
async function runAll(tests: readonly PublicTest[]): Promise<void> {
  for (let i = 0; i < tests.length; i += AT_ONCE)
    await Promise.all(
      tests.slice(i, i + AT_ONCE).map((test) => makeCacheTest(structuredClone(test))),
    )
}

/** The origin prints what it thinks of requests. */
async function quietly(run: () => Promise<void>): Promise<void> {
  const { log } = console
  console.log = () => undefined
  try {
    await run()
  } finally {
    console.log = log
  }
}

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const [, name = '', ...segments] = new URL(incoming.url ?? '/', 'http://origin').pathname.split(
    '/',
  )
  HANDLERS[name]?.(segments, incoming, response)
}

/** Asks the origin, as a gateway does: 502 where it does not answer. */
function asked(port: number, { method, path, header }: Seen): Promise<Rendered> {
  const headers = Object.fromEntries(
    SEEN.map((name) => [name, header(name)]).filter(([, value]) => value !== undefined),
  ) as Record<string, string>
  return new Promise((resolve) => {
    const failed = (): void => resolve({ status: 502, body: 'no origin' })
    const asking = request({ port, host: '127.0.0.1', method, path, headers, agent: false })
    asking.on('error', failed)
    asking.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', failed)
      incoming.on('end', () => {
        const { statusCode: status = 502, headersDistinct } = incoming
        const hops = ['keep-alive', 'transfer-encoding']
        const lines = Object.entries(headersDistinct).filter(([name]) => !hops.includes(name))
        const fields = Object.fromEntries(
          lines.map(([name, values = []]) => [name, values.length === 1 ? values[0] : values]),
        ) as Record<string, string | readonly string[]>
        resolve({ status, headers: fields, body: Buffer.concat(chunks).toString() })
      })
    })
    asking.end()
  })
}
