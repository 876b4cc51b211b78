import { expect, it } from 'vitest'
import { CACHE_EVENTS, eventNamed } from './event-table.ts'
import type { CacheEventName, CacheEvents } from './events.ts'

type FieldOf<Name extends string> = {
  [Event in CacheEventName]: Name extends keyof CacheEvents[Event]
    ? CacheEvents[Event][Name]
    : never
}[CacheEventName]
/** `true` where the words of a union are all known. */
type IsUnion<Type> = string extends Type ? false : Type extends string ? true : false

it('has one word for one thing: reasons and outcomes are words from a list, times end in Ms', () => {
  const words: readonly true[] = [
    true satisfies IsUnion<FieldOf<'reason'>>,
    true satisfies IsUnion<FieldOf<'outcome'>>,
    true satisfies IsUnion<FieldOf<'state'>>,
    true satisfies IsUnion<FieldOf<'kind'>>,
    true satisfies unknown extends FieldOf<'error'> ? true : false,
  ]
  expect(words).not.toContain(false)
  const fields = Object.values(CACHE_EVENTS).flatMap((event) => Object.keys(event.fields))
  for (const other of ['why', 'cause', 'ms', 'forMs', 'time', 'duration', 'took'])
    expect(fields).not.toContain(other)
})

it('says of every event in a sentence when it is emitted, and of every field what it is', () => {
  for (const { when, fields } of Object.values(CACHE_EVENTS)) {
    expect(when).toMatch(/^[A-Z].*\.$/)
    for (const text of Object.values(fields)) expect(text.length).toBeGreaterThan(3)
  }
})

it('finds an event by a name that it had before, and no other', () => {
  expect([eventNamed('invalidated', 'on'), eventNamed('fill-refused', 'on')]).toEqual([
    'invalidate',
    'discard',
  ])
  expect(eventNamed('hit', 'on')).toBe('hit')
  expect(() => eventNamed('toString', 'on')).toThrow('the name of an event')
})
