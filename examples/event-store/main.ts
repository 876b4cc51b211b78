/** An account as events: a conflict, a repeated request, a balance from a snapshot, and a projection. With `REDIS_URL` it is kept in Redis. */

import { randomUUID } from 'node:crypto'
import { createCacheManager, EventConflictError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createEventStore } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'

type AccountEvent =
  | { readonly type: 'opened'; readonly owner: string }
  | { readonly type: 'deposited'; readonly cents: number }

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  // Events stay, so each run has an application of its own.
  namespace: `events-${randomUUID().slice(0, 8)}`,
  local: lruStore(),
  logger: false,
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
const accounts = createEventStore<AccountEvent>(caches, { name: 'accounts', partitions: 2 })

await accounts.append('acc-1', [{ type: 'opened', owner: 'ada' }], { expected: 'none' })
const deposit: AccountEvent = { type: 'deposited', cents: 500 }
console.log(await accounts.append('acc-1', [deposit], { expected: 1, id: 'request-7' }))
// The answer was lost, so the request comes again.
console.log(await accounts.append('acc-1', [deposit], { expected: 1, id: 'request-7' }))
await accounts.append('acc-1', [deposit], { expected: 1 }).catch((error: unknown) => {
  if (error instanceof EventConflictError) console.log(error.message)
})

const balance = {
  initial: () => 0,
  apply: (cents: number, { data }: { readonly data: AccountEvent }) =>
    data.type === 'deposited' ? cents + data.cents : cents,
  snapshot: { cache: caches.cache('balances', { ttl: '1d' }), every: 2 },
}
console.log('balance', await accounts.fold('acc-1', balance))

let tellAll: () => void = () => undefined
const all = new Promise<void>((resolve) => {
  tellAll = resolve
})
await using projection = accounts.project('balances', ({ data, version }) => {
  console.log(`projected ${version}: ${data.type}`)
  if (version === 2) tellAll()
})
await all
console.log('partitions', projection.status().length)
