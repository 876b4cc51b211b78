/** Messages as bytes: they come back unchanged, and belong to their topic and their attributes. */

import { createCacheManager } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { localStreams } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { encryption } from '@larder/plugins/encryption'
import { msgpackCodec } from '@larder/redis-store'
import { expect, it, onTestFinished } from 'vitest'
import {
  attributesOf,
  openMessage,
  sealMessage,
} from '../../packages/plugins/src/messaging/envelope.ts'
import { freshNamespace } from '../support/nodes.ts'

const ATTRIBUTES = { id: 'ü{}:1', source: 'shop', type: 't', time: '2026-01-31T12:00:00.000Z' }
const TOPIC = 'stream:emails'
const KEY = Buffer.alloc(32, 7)

function valuesOf(plugins: Parameters<typeof createCacheManager>[0]['plugins'] = []) {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    streams: localStreams(),
    codec: msgpackCodec,
    plugins,
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return caches[INTERNALS].streams().values
}

const FORMS = [
  ['plain', () => valuesOf()],
  ['compressed', () => valuesOf([compression({ algorithm: 'gzip', threshold: 10 })])],
  ['encrypted', () => valuesOf([encryption({ keys: [{ key: KEY }] })])],
] as const

it.each(FORMS)('comes back as it was: %s', async (_, make) => {
  const values = make()
  for (const data of [undefined, null, 0, '', 'a'.repeat(10_000), { at: new Date(0) }, [1n]]) {
    const attributes = { ...ATTRIBUTES, dataschema: 'urn:x', traceparent: '00-1-2-01' }
    const bytes = await sealMessage(values, TOPIC, { attributes, encoded: values.encode(data) })
    expect(await openMessage(values, TOPIC, bytes)).toEqual({ attributes, data })
    expect(attributesOf(bytes)).toEqual(attributes)
  }
})

it('cannot be read under another topic, or with other attributes, where it is encrypted', async () => {
  const values = valuesOf([encryption({ keys: [{ key: KEY }] })])
  const bytes = await sealMessage(values, TOPIC, {
    attributes: ATTRIBUTES,
    encoded: values.encode('a'),
  })
  expect(Buffer.from(bytes).includes('"shop"')).toBe(true)
  await expect(openMessage(values, 'stream:other', bytes)).rejects.toMatchObject({
    code: 'LARDER_MESSAGE_INVALID',
    reason: 'unreadable',
  })
  const changed = Buffer.from(bytes)
  changed.write('shot', changed.indexOf('shop'))
  await expect(openMessage(values, TOPIC, changed)).rejects.toMatchObject({ reason: 'unreadable' })
})

it('is refused when anything of it is cut off, or it is something else', async () => {
  const values = valuesOf([encryption({ keys: [{ key: KEY }] })])
  const bytes = await sealMessage(values, TOPIC, {
    attributes: ATTRIBUTES,
    encoded: values.encode('a'),
  })
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length)
    await expect(openMessage(values, TOPIC, cut)).rejects.toMatchObject({ reason: 'unreadable' })
  }
  const heads = ['null', '[]', '{}', '{"id":1}', '"a"', '{', '{"__proto__":{"id":"a"}}']
  for (const text of heads) {
    const head = Buffer.from(text)
    const made = Buffer.concat([Buffer.from([1, 0, head.length]), head, Buffer.alloc(20)])
    await expect(openMessage(values, TOPIC, made)).rejects.toMatchObject({ reason: 'unreadable' })
    expect(attributesOf(made)).toBeUndefined()
  }
})

it('has attributes of a bounded length', async () => {
  const attributes = { ...ATTRIBUTES, source: 'a'.repeat(20_000) }
  const values = valuesOf()
  const sealed = sealMessage(values, TOPIC, { attributes, encoded: values.encode('a') })
  await expect(sealed).rejects.toThrow(RangeError)
})
