import { InvalidOptionError } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { resolveSessionOptions, userText } from './session-options.ts'

describe('the options of sessions', () => {
  it('have defaults', () => {
    const { terms, idleMs, foreignIds, userOf } = resolveSessionOptions({})
    expect(terms).toEqual({
      rule: {
        sessions: 'web',
        absoluteMs: 604_800_000,
        touchEveryMs: 180_000,
        maxPerUser: 100,
        lateMs: 3_600_000,
      },
      timeoutMs: 1_000,
    })
    expect({ idleMs, foreignIds, user: userOf({}) }).toEqual({
      idleMs: 1_800_000,
      foreignIds: false,
      user: undefined,
    })
  })

  it.each<[string, object]>([
    ['createSessions.idel', { idel: '1h' }],
    ['createSessions.name', { name: '' }],
    ['createSessions.name', { name: 'a:b' }],
    ['createSessions.name', { name: 'x'.repeat(65) }],
    ['createSessions.name', { name: 7 }],
    ['createSessions.idle', { idle: 0 }],
    ['createSessions.idle', { idle: '401d' }],
    ['createSessions.idle', { idle: Number.NaN }],
    ['createSessions.idle', { idle: null }],
    ['createSessions.absolute', { absolute: '1s' }],
    ['createSessions.absolute', { absolute: Number.POSITIVE_INFINITY }],
    ['createSessions.touchEvery', { idle: '10m', touchEvery: '6m' }],
    ['createSessions.touchEvery', { touchEvery: -1 }],
    ['createSessions.maxPerUser', { maxPerUser: 0 }],
    ['createSessions.maxPerUser', { maxPerUser: 1.5 }],
    ['createSessions.maxPerUser', { maxPerUser: 10_001 }],
    ['createSessions.userOf', { userOf: 'userId' }],
    ['createSessions.foreignIds', { foreignIds: 'yes' }],
    ['createSessions.storeTimeout', { storeTimeout: 0 }],
  ])('refuse what is wrong in %s: %o', (option, options) => {
    expect(() => resolveSessionOptions(options)).toThrow(InvalidOptionError)
    expect(() => resolveSessionOptions(options)).toThrow(option)
  })
})

describe('a user', () => {
  it('is a text or a number, and digits are the same user as their number', () => {
    expect(userText(7, 'x')).toBe(userText('7', 'x'))
  })

  it.each([
    undefined,
    null,
    '',
    Number.NaN,
    {},
    'x'.repeat(1_001),
    String.fromCharCode(0xd800),
    true,
  ])('is none of these: %s', (user) => {
    expect(() => userText(user, 'x')).toThrow(InvalidOptionError)
  })
})
