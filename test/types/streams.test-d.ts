/** What the types of streams let pass, and what not. */

import { createCacheManager } from '@larder/core'
import {
  createStream,
  type Delivery,
  type MessageSchema,
  StreamHandler,
} from '@larder/plugins/messaging'

const caches = createCacheManager({ namespace: 'types' })
declare const dateOfText: MessageSchema<string, Date>

const dates = createStream(caches, { name: 'dates', schema: dateOfText })
void dates.add('2026-01-31')
// @ts-expect-error: what is sent is what the schema takes
void dates.add(new Date())
dates.handle({ group: 'g' }, (date) => date.getTime())
// @ts-expect-error: a handler gets what the schema makes
dates.handle({ group: 'g' }, (date: string) => date)
// @ts-expect-error: a group has to be named
dates.handle({}, () => undefined)

const open = createStream<{ readonly to: string }>(caches, { name: 'open' })
open.handle({ group: 'g' }, async ({ to }, { signal }) => void [to, signal.aborted])
void open.addMany([{ to: 'a' }], { idOf: ({ to }) => to })

export class Handlers {
  @StreamHandler({ stream: dates, group: 'g' })
  async fits(date: Date, { id }: Delivery): Promise<string> {
    return `${date.getTime()} ${id}`
  }

  @StreamHandler({ stream: () => open, group: 'g' })
  takesLess(): void {}

  // @ts-expect-error: it takes another message than the stream has
  @StreamHandler({ stream: dates, group: 'g' })
  misfits(text: string): string {
    return text
  }
}
