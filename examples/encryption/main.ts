/** What Redis holds with and without encryption, how a key is changed, and what becomes of a value that somebody planted. */

import { randomBytes } from 'node:crypto'
import { createCacheManager } from '@larder/core'
import { partitionOf } from '@larder/core/store'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { type EncryptionKey, encryption } from '@larder/plugins/encryption'

/** Stands in for Redis, so that nothing has to be installed. */
const server = new MemoryServer()
const [first, second] = [{ key: randomBytes(32) }, { key: randomBytes(32) }]

function startNode(keys: readonly EncryptionKey[]) {
  const plugin = encryption({ keys })
  const store = server.store()
  const caches = createCacheManager({
    namespace: 'clinic',
    remote: store,
    codec: structuredCodec,
    plugins: [plugin],
    default: false,
    defaults: { ttl: '1h' },
  })
  return { caches, plugin, store, patients: caches.cache<{ name: string }>('patients') }
}

// Release 0 writes with the first key.
const zero = startNode([first])
await zero.patients.set('7', { name: 'Ada Lovelace' })

// Release 1 can read the second key, release 2 writes it: in between, both kinds of nodes run side by side.
const one = startNode([first, second])
const two = startNode([second, first])
await two.patients.set('8', { name: 'Grace Hopper' })
console.log(
  'release 1 reads',
  await one.patients.get('8'),
  'and release 2',
  await two.patients.get('7'),
)
console.log(
  'release 2 has read with',
  two.plugin
    .usage()
    .keys.map(({ read }) => read)
    .join(' and '),
)

// Somebody who can write to the store copies one patient's entry over another's.
const [bytes] = await two.store.read([address('8')])
await two.store.put(address('7'), {
  bytes: bytes ?? new Uint8Array(),
  livesMs: 3_600_000,
  since: 0,
})
two.caches.on('undecodable', ({ key, error }) => console.log(key, 'was not read:', `${error}`))
console.log('patient 7 is', await two.patients.get('7'))

await Promise.all([zero, one, two].map(({ caches }) => caches.close()))

function address(key: string) {
  const full = zero.patients.key(key)
  return { key: full, partition: partitionOf(full) }
}
