/** What callers hand over to a topic: messages that they change afterwards, and an `onMissed` that rejects. */

import { createTopic } from '@larder/plugins/messaging'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { hear, openTwo, PLACES, topicEvents } from './support/stage.ts'

describe.each(PLACES)('a topic %s', (place) => {
  it('publishes what a message was at the call, whatever the caller changes afterwards', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic<{ cents: number }>(other, { name: 'n' }))
    const topic = createTopic<{ cents: number }>(one, { name: 'n' })
    const price = { cents: 1 }
    const published = topic.publish(price)
    price.cents = 2
    await published
    await eventually('it is heard', () => heard.messages.length === 1)
    expect(heard.messages).toEqual([{ cents: 1 }])
  })

  it('reports an onMissed that rejects, and goes on', async () => {
    const [one, other] = openTwo(place)
    const events = topicEvents(other)
    const error = new Error('no metrics')
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const heard: number[] = []
    const options = { buffer: 1, onMissed: async () => Promise.reject(error) }
    const handler = async (n: number) => {
      heard.push(n)
      await held
    }
    const subscription = createTopic<number>(other, { name: 'n' }).subscribe(handler, options)
    await subscription.ready
    const topic = createTopic<number>(one, { name: 'n' })
    await topic.publish(1)
    await eventually('the first one is handled', () => heard.length === 1)
    for (const n of [2, 3, 4]) await topic.publish(n)
    await eventually('it is reported', () => events.some((event) => event.error === error))
    release()
    await eventually('it goes on', () => heard.includes(4))
  })
})
