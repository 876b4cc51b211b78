/** What callers hand over to an event store, and change afterwards. */

import { createEventStore, type MessageSchema } from '@larder/plugins/messaging'
import { describe, expect, it } from 'vitest'
import { all, openTwo, PLACES } from './support/stage.ts'

interface Deposit {
  readonly cents: number
}

const DEPOSIT: MessageSchema<Deposit> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const { cents } = (value ?? {}) as Partial<Deposit>
      if (typeof cents !== 'number') return { issues: [{ message: 'no number', path: ['cents'] }] }
      return { value: { cents } }
    },
  },
}

describe.each(PLACES)('an event store %s', (place) => {
  it.each([
    ['with a schema', DEPOSIT],
    ['without one', undefined],
  ])('appends what events were at the call, %s', async (_, schema) => {
    const [caches] = openTwo(place)
    const store = createEventStore<Deposit>(caches, { name: 'n', schema })
    const events = [{ cents: 1 }, { cents: 2 }]
    const appended = store.append('a', events)
    for (const event of events) Object.assign(event, { cents: 'none' })
    events.push({ cents: 3 })
    expect(await appended).toMatchObject({ version: 2 })
    const kept = await all(store.read('a'))
    expect(kept.map(({ data }) => data)).toEqual([{ cents: 1 }, { cents: 2 }])
  })
})
