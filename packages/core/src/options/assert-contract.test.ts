import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertBoardProvider,
  assertClock,
  assertCodec,
  assertFleetProvider,
  assertLimitProvider,
  assertLocalStore,
  assertLockProvider,
  assertPlugins,
  assertRemoteStore,
  assertSessionProvider,
  assertStreamProvider,
} from './assert-contract.ts'
import { SHAPES } from './contract-shapes.ts'

type Members = Record<string, unknown>
type Name = keyof typeof SHAPES

const SAMPLES: Readonly<Record<string, unknown>> = {
  function: () => undefined,
  string: 'text',
  number: 1,
  boolean: true,
  object: {},
}

/** Members whose own contract is looked at, too. */
const NESTED: Partial<Record<Name, Readonly<Record<string, Name>>>> = {
  local: {
    locks: 'locks',
    limits: 'limits',
    sessions: 'sessions',
    fleet: 'fleet',
    boards: 'boards',
    streams: 'streams',
  },
  remote: {
    capabilities: 'capabilities',
    bus: 'bus',
    locks: 'locks',
    limits: 'limits',
    sessions: 'sessions',
    fleet: 'fleet',
    boards: 'boards',
    streams: 'streams',
  },
  boards: { capabilities: 'boardCapabilities' },
  locks: { capabilities: 'lockCapabilities' },
  limits: { capabilities: 'limitCapabilities' },
  sessions: { capabilities: 'sessionCapabilities' },
  streams: { capabilities: 'streamCapabilities' },
  fleet: { capabilities: 'fleetCapabilities' },
  plugin: { codecSteps: 'step' },
}

/** Something that has all of a contract. */
function wholeOf(name: Name): Members {
  const members = Object.entries<string>(SHAPES[name]).map(([member, kind]) => {
    const nested = NESTED[name]?.[member]
    const value = nested === undefined ? SAMPLES[kind.replace('?', '')] : wholeOf(nested)
    return [member, member === 'codecSteps' ? [value] : value] as const
  })
  return Object.fromEntries(members)
}

const CHECKS: readonly (readonly [Name, (value: unknown) => void])[] = [
  ['local', (value) => assertLocalStore(value, 'x')],
  ['remote', (value) => assertRemoteStore(value, 'x')],
  [
    'capabilities',
    (value) => assertRemoteStore({ ...wholeOf('remote'), capabilities: value }, 'x'),
  ],
  ['bus', (value) => assertRemoteStore({ ...wholeOf('remote'), bus: value }, 'x')],
  ['locks', (value) => assertLockProvider(value, 'x')],
  ['locks', (value) => assertLocalStore({ ...wholeOf('local'), locks: value }, 'x')],
  ['locks', (value) => assertRemoteStore({ ...wholeOf('remote'), locks: value }, 'x')],
  [
    'lockCapabilities',
    (value) => assertLockProvider({ ...wholeOf('locks'), capabilities: value }, 'x'),
  ],
  ['limits', (value) => assertLimitProvider(value, 'x')],
  ['limits', (value) => assertLocalStore({ ...wholeOf('local'), limits: value }, 'x')],
  ['limits', (value) => assertRemoteStore({ ...wholeOf('remote'), limits: value }, 'x')],
  [
    'limitCapabilities',
    (value) => assertLimitProvider({ ...wholeOf('limits'), capabilities: value }, 'x'),
  ],
  ['fleet', (value) => assertFleetProvider(value, 'x')],
  ['fleet', (value) => assertLocalStore({ ...wholeOf('local'), fleet: value }, 'x')],
  ['fleet', (value) => assertRemoteStore({ ...wholeOf('remote'), fleet: value }, 'x')],
  [
    'fleetCapabilities',
    (value) => assertFleetProvider({ ...wholeOf('fleet'), capabilities: value }, 'x'),
  ],
  ['boards', (value) => assertBoardProvider(value, 'x')],
  ['boards', (value) => assertLocalStore({ ...wholeOf('local'), boards: value }, 'x')],
  ['boards', (value) => assertRemoteStore({ ...wholeOf('remote'), boards: value }, 'x')],
  [
    'boardCapabilities',
    (value) => assertBoardProvider({ ...wholeOf('boards'), capabilities: value }, 'x'),
  ],
  ['streams', (value) => assertStreamProvider(value, 'x')],
  ['streams', (value) => assertLocalStore({ ...wholeOf('local'), streams: value }, 'x')],
  ['streams', (value) => assertRemoteStore({ ...wholeOf('remote'), streams: value }, 'x')],
  [
    'streamCapabilities',
    (value) => assertStreamProvider({ ...wholeOf('streams'), capabilities: value }, 'x'),
  ],
  ['sessions', (value) => assertSessionProvider(value, 'x')],
  ['sessions', (value) => assertLocalStore({ ...wholeOf('local'), sessions: value }, 'x')],
  ['sessions', (value) => assertRemoteStore({ ...wholeOf('remote'), sessions: value }, 'x')],
  [
    'sessionCapabilities',
    (value) => assertSessionProvider({ ...wholeOf('sessions'), capabilities: value }, 'x'),
  ],
  ['codec', (value) => assertCodec(value, 'x')],
  ['step', (value) => assertPlugins([{ ...wholeOf('plugin'), codecSteps: [value] }], 'x')],
  ['plugin', (value) => assertPlugins([value], 'x')],
  ['clock', (value) => assertClock(value, 'x')],
]

describe.each(CHECKS)('a contract of %s', (name, check) => {
  it('takes what has all of it', () => {
    expect(() => check(wholeOf(name))).not.toThrow()
  })

  it.each(Object.entries<string>(SHAPES[name]))(
    'refuses what is wrong in %s (%s)',
    (member, kind) => {
      const { [member]: _, ...without } = wholeOf(name)
      const withoutIt = (): void => check(without)
      if (kind.endsWith('?')) expect(withoutIt).not.toThrow()
      else expect(withoutIt).toThrow(InvalidOptionError)
      for (const wrong of [null, Symbol('wrong')]) {
        const withWrong = (): void => check({ ...wholeOf(name), [member]: wrong })
        expect(withWrong).toThrow(InvalidOptionError)
      }
    },
  )

  it.each([undefined, null, 'text', 1, () => undefined])('refuses %s', (value) => {
    const isOptional =
      value === undefined && /bus|boards|locks|limits|sessions|streams|fleet/.test(name)
    if (!isOptional) expect(() => check(value)).toThrow(InvalidOptionError)
  })
})
