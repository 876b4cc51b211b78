/** Finding keys, and closing. */

import assert from 'node:assert/strict'
import type { RemoteStore } from '../../../contracts/remote-store.ts'
import { settled } from '../patience.ts'
import { at, HARD, type RemoteCase } from './remote-case.ts'

export const SCANNING: readonly RemoteCase[] = [
  {
    name: 'finds every key that begins with a prefix, and no other',
    needs: ['scans'],
    async run(stage) {
      const wanted = Array.from({ length: 250 }, (_, i) => at(`w:${i}`, i % 64))
      for (const address of wanted) await stage.put(address)
      for (const key of ['other', 'W:1', 'x:w:1']) await stage.put(at(key))
      await stage.a.evict([at('w:0', 0)], HARD)
      const found = await keysOf(stage.b, 'c:w:')
      assert.deepEqual(found, new Set(wanted.slice(1).map(({ key }) => key)))
      assert.deepEqual(await keysOf(stage.b, 'c:none'), new Set())
    },
  },
  {
    name: 'takes a prefix literally, whatever characters it has',
    needs: ['scans'],
    async run(stage) {
      for (const key of ['*', '?', '[ab]', '\\', 'ü☃', 'a']) await stage.put(at(`${key}1`))
      for (const key of ['*', '?', '[ab]', '\\', 'ü☃']) {
        assert.deepEqual(await keysOf(stage.a, `c:${key}`), new Set([`c:${key}1`]))
      }
    },
  },
]

export const CLOSING: readonly RemoteCase[] = [
  {
    name: 'settles every call made after closing, and closes twice without complaint',
    async run({ a, b }) {
      await a.sync([0])
      await settled('the store closes', a.close())
      await settled(
        'a read after closing settles',
        a.read([at('x')]).catch(() => undefined),
      )
      await settled('the store closes again', a.close())
      await b.sync([0])
    },
  },
]

async function keysOf(store: RemoteStore, prefix: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for await (const keys of store.scan(prefix)) {
    for (const key of keys) found.add(key)
  }
  return found
}
