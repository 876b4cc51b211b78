/** Nodes of one namespace that write with different algorithms, as while a fleet changes over. */

import * as zlib from 'node:zlib'
import { type Algorithm, compression } from '@larder/plugins/compression'
import * as snappy from 'snappy'
import { describe, expect, it } from 'vitest'
import { freshNamespace, startNode } from '../support/nodes.ts'

const ALGORITHMS: readonly Algorithm[] = [
  'gzip',
  'brotli',
  'deflate',
  'snappy',
  ...('zstdCompressSync' in zlib ? (['zstd'] as const) : []),
]
const VALUE = { text: 'the same again and again; '.repeat(500) }

function node(namespace: string, algorithm: Algorithm, hasSnappy = true) {
  return startNode({
    namespace,
    local: undefined,
    plugins: [compression({ algorithm, ...(hasSnappy && { snappy }) })],
  })
}

describe.each(ALGORITHMS)('what is written with %s', (algorithm) => {
  it('is read by nodes that write with any other', async () => {
    const namespace = freshNamespace()
    const writer = node(namespace, algorithm)
    await writer.caches.cache('c').set('k', VALUE)
    for (const other of ALGORITHMS) {
      const reader = node(namespace, other)
      expect(await reader.caches.cache('c').get('k')).toEqual(VALUE)
      expect(reader.seen('undecodable')).toEqual([])
    }
  })
})

it('a node without the package loads anew what was written with snappy, and the others read that', async () => {
  const namespace = freshNamespace()
  const [writer, without] = [node(namespace, 'snappy'), node(namespace, 'brotli', false)]
  await writer.caches.cache('c').set('k', VALUE)
  expect(await without.caches.cache('c').getOrLoad('k', () => ({ text: 'new' }))).toEqual({
    text: 'new',
  })
  expect(without.seen('undecodable')).toMatchObject([{ reason: 'unknown-step' }])
  // A fill runs behind the caller.
  await expect
    .poll(() => writer.caches.cache('c').get('k'), { timeout: 10_000 })
    .toEqual({ text: 'new' })
})
