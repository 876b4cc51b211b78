/** What the types of topics and event stores let pass, and what not. */

import { createCacheManager } from '@larder/core'
import {
  createEventStore,
  createTopic,
  createTopicPattern,
  type MessageSchema,
} from '@larder/plugins/messaging'

const caches = createCacheManager({ namespace: 'types' })
declare const dateOfText: MessageSchema<string, Date>

const dates = createTopic(caches, { name: 'dates', schema: dateOfText })
void dates.publish('2026-01-31')
// @ts-expect-error: what is sent is what the schema takes
void dates.publish(new Date())
dates.subscribe((date, { missed }) => [date.getTime(), missed === 'unknown' ? 0 : missed + 1])
// @ts-expect-error: a handler gets what the schema makes
dates.subscribe((date: string) => date)
// It may be an async function, whose rejection is reported.
dates.subscribe(() => undefined, { onMissed: async () => undefined })
// @ts-expect-error: nothing promises more than that
const exactlyOnce: 'exactly-once' = dates.delivery
void exactlyOnce

const open = createTopic<{ readonly to: string }>(caches, { name: 'open' })
void open.publish({ to: 'a' })
// @ts-expect-error: it is another message
void open.publish({ from: 'a' })

createTopicPattern(caches, { pattern: 'dates.*', schema: dateOfText }).subscribe(
  (date, { topic }) => [date.getTime(), topic.length],
)
// @ts-expect-error: nothing can be published to a pattern
createTopicPattern(caches, { pattern: 'dates.*' }).publish
// @ts-expect-error: what is heard without a schema may be anything
createTopicPattern(caches, { pattern: 'dates.*' }).subscribe((text: string) => text)

type AccountEvent = { readonly type: 'opened' } | { readonly type: 'paid'; readonly cents: number }
const accounts = createEventStore<AccountEvent>(caches, { name: 'accounts' })
void accounts.append('a', [{ type: 'opened' }, { type: 'paid', cents: 1 }], { expected: 'none' })
// @ts-expect-error: it is no event of this store
void accounts.append('a', [{ type: 'closed' }])
// @ts-expect-error: there is no such version
void accounts.append('a', [], { expected: 'never' })
export const folded: Promise<{ readonly state: number; readonly version: number }> = accounts.fold(
  'a',
  {
    initial: () => 0,
    apply: (sum: number, { data }) => sum + (data.type === 'paid' ? data.cents : 0),
  },
)
accounts.project('p', async ({ data, position }, { fence, signal }) => {
  void [data.type, position + fence, signal.aborted]
})
// @ts-expect-error: a projection has a name
accounts.project(({ data }) => data)

const stamped = createEventStore(caches, { name: 'stamped', schema: dateOfText })
void stamped.append('a', ['2026-01-31'])
// @ts-expect-error: what is appended is what the schema takes
void stamped.append('a', [new Date()])
export async function times(): Promise<readonly number[]> {
  const read: number[] = []
  for await (const { data } of stamped.read('a')) read.push(data.getTime())
  return read
}
