/** E-mails that are sent by consumers. With `REDIS_URL` they are kept in Redis; without it, in this process. */

import { randomUUID } from 'node:crypto'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  createStream,
  RejectMessage,
  StreamHandler,
  startHandlers,
} from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'

interface Email {
  readonly to: string
}

const url = process.env['REDIS_URL']
await using caches = createCacheManager({
  namespace: `work-queue-example-${randomUUID()}`,
  local: lruStore(),
  // A Redis for trying things out writes no append-only file. A service should keep the warning that tells of it.
  logger: false,
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
})
const emails = createStream<Email>(caches, { name: 'emails', maxLength: 1_000 })
const blocked = new Set(['cy'])

class Mailer {
  @StreamHandler({ stream: emails, group: 'mailer', maxDeliveries: 3, retryAfter: 1 })
  async send({ to }: Email, { deliveries }: { readonly deliveries: number }): Promise<void> {
    if (to === 'bob' && deliveries === 1) throw new Error('The mail server is busy')
    if (blocked.has(to)) throw new RejectMessage(`${to} is blocked`)
    console.log(`sent to ${to}, delivery ${deliveries}`)
  }
}

/** Resolves when so many messages have ended like this. */
function ended(outcome: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count
    const stop = caches.on('stream', (event) => {
      if (event.outcome === outcome) left -= 1
      if (left > 0) return
      stop()
      resolve()
    })
  })
}

const handled = ended('handled', 2)
const givenUp = ended('dead-letter', 1)
const handlers = startHandlers(new Mailer())
const { isNew } = await emails.add({ to: 'ada' }, { id: 'welcome:1' })
const again = await emails.add({ to: 'ada' }, { id: 'welcome:1' })
await emails.addMany([{ to: 'bob' }, { to: 'cy' }])
await Promise.all([handled, givenUp])
console.log(`added: ${isNew}, added again with the same id: ${again.isNew}`)

const [letter] = await emails.deadLetters('mailer')
console.log(`dead letter: ${letter?.error}`)
blocked.delete('cy')
const replayed = ended('handled', 1)
await emails.replay('mailer', letter?.letter ?? '')
await replayed

await handlers.close()
const { pending, deadLetters } = await emails.status('mailer')
console.log(`pending: ${pending}, dead letters: ${deadLetters}`)
