/** What callers hand over to a stream, and change afterwards. */

import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { openStage, PLACES } from './support/stage.ts'

describe.each(PLACES)('a stream %s', (place) => {
  it('keeps what a message was at the call', async () => {
    const stream = openStage(place).stream<{ cents: number }>()
    const message = { cents: 1 }
    const added = stream.add(message)
    message.cents = 2
    await added
    const seen: number[] = []
    stream.handle({ group: 'g' }, ({ cents }) => void seen.push(cents))
    await eventually('it is handled', () => seen.length === 1)
    expect(seen).toEqual([1])
  })
})
