/** What is not kept goes to its client as it would without a cache: conditions, HEAD, parts. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask } from './support/ask.ts'
import { FRAMEWORKS } from './support/frameworks.ts'

function startCaches(): CacheManager {
  const caches = createCacheManager({ namespace: 'uncached', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  return caches
}

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT'
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT'

describe.each(FRAMEWORKS)('$name', (framework) => {
  describe.each([
    ['private', { 'Cache-Control': 'private' }],
    ['not to be stored', { 'Cache-Control': 'no-store' }],
    ['with a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=1' }],
    ['without a lifetime', {}],
  ])('a response that is %s', (_, own) => {
    const fields = { ETag: '"v1"', 'Last-Modified': DATE, 'Content-Type': 'text/x-own', ...own }

    it('is said to be unchanged to a client that has it, every time', async () => {
      const { port } = await framework.start({
        caches: startCaches(),
        render: () => ({ headers: fields, body: 'some content' }),
      })
      for (const headers of [
        { 'if-none-match': '"v1"' },
        { 'if-none-match': '"v0", W/"v1"' },
        { 'if-none-match': '*' },
        { 'if-modified-since': DATE },
        { 'if-modified-since': LATER },
      ]) {
        const answer = await ask(port, { headers })
        expect(answer, JSON.stringify(headers)).toMatchObject({ status: 304, body: '' })
        expect(answer.headers).toMatchObject({ etag: '"v1"' })
        expect(answer.headers['content-type']).toBeUndefined()
        expect(answer.headers['content-length'] ?? '0').toBe('0')
        expect(answer.headers['set-cookie']).toEqual('Set-Cookie' in own ? ['a=1'] : undefined)
      }
    })

    it('is sent whole to a client that has another one', async () => {
      const { port } = await framework.start({
        caches: startCaches(),
        render: () => ({ headers: fields, body: 'some content' }),
      })
      for (const headers of [
        {},
        { 'if-none-match': '"v0"' },
        { 'if-none-match': '"v0"', 'if-modified-since': LATER },
        { 'if-modified-since': EARLIER },
      ] as Record<string, string>[]) {
        const answer = await ask(port, { headers })
        expect(answer).toMatchObject({ status: 200, body: 'some content' })
        expect(answer.headers['content-type']).toBe('text/x-own')
      }
    })
  })

  it('a response that is too large to keep is said to be unchanged, too', async () => {
    const { port } = await framework.start({
      caches: startCaches(),
      options: { maxBody: '1kb', ttl: '1m' },
      render: () => ({ headers: { ETag: '"large"' }, body: 'x'.repeat(50_000) }),
    })
    const headers = { 'if-none-match': '"large"' }
    expect(await ask(port, { headers })).toMatchObject({ status: 304, body: '' })
    expect((await ask(port)).body).toHaveLength(50_000)
    expect(await ask(port, { headers })).toMatchObject({ status: 304, body: '' })
  })

  it('an answer that is none of success is not changed by what its client has', async () => {
    const { port } = await framework.start({
      caches: startCaches(),
      render: () => ({ status: 403, headers: { ETag: '"v1"' }, body: 'no' }),
    })
    const answer = await ask(port, { headers: { 'if-none-match': '"v1"' } })
    expect(answer).toMatchObject({ status: 403, body: 'no' })
  })

  it.each(['if-match', 'if-unmodified-since'])(
    'a handler sees %s, whatever is kept',
    async (name) => {
      const { port } = await framework.start({
        caches: startCaches(),
        options: { ttl: '1m' },
        render: ({ header }) => ({
          status: header(name) === undefined ? 200 : 412,
          body: header(name) ?? 'kept',
        }),
      })
      for (let i = 0; i < 2; i++) {
        expect(await ask(port)).toMatchObject({ status: 200, body: 'kept' })
        expect(await ask(port, { headers: { [name]: DATE } })).toMatchObject({
          status: 412,
          body: DATE,
        })
      }
    },
  )

  it('HEAD and parts of what is not kept are the handler’s, with all that the client says', async () => {
    const { port } = await framework.start({
      caches: startCaches(),
      render: ({ method, header }) => {
        const asked = {
          'X-Asked': [header('range'), header('if-range'), header('if-none-match')].join(','),
        }
        const headers = { 'Cache-Control': 'private', ETag: '"v1"', ...asked }
        if (method === 'GET' && header('range') !== undefined)
          return {
            status: 206,
            headers: { ...headers, 'Content-Range': 'bytes 0-1/4' },
            body: 'ab',
          }
        return { headers, body: method === 'HEAD' ? '' : 'abcd' }
      },
    })
    for (let i = 0; i < 2; i++) {
      const part = await ask(port, { headers: { range: 'bytes=0-1', 'if-range': '"v1"' } })
      expect(part).toMatchObject({ status: 206, body: 'ab' })
      expect(part.headers['x-asked']).toBe('bytes=0-1,"v1",')
      const head = await ask(port, { method: 'HEAD', headers: { 'if-none-match': '"v0"' } })
      expect(head).toMatchObject({ status: 200, body: '' })
      expect(head.headers['x-asked']).toBe(',,"v0"')
      expect((await ask(port)).body).toBe('abcd')
    }
  })
})
