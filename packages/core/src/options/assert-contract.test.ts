import { describe, expect, it } from 'vitest'
import type { ProviderKind } from '../contracts/providers.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertClock,
  assertCodec,
  assertLocalStore,
  assertPlugins,
  assertRemoteStore,
} from './assert-contract.ts'
import { SHAPES } from './contract-shapes.ts'
import { assertProvider, PROVIDER_KINDS } from './providers.ts'

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
    eventStore: 'eventStore',
    topics: 'topics',
    structures: 'structures',
    writes: 'writes',
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
    eventStore: 'eventStore',
    topics: 'topics',
    structures: 'structures',
    writes: 'writes',
  },
  boards: { capabilities: 'boardCapabilities' },
  streams: { capabilities: 'streamCapabilities' },
  writes: { capabilities: 'writeCapabilities' },
  eventStore: { capabilities: 'eventStoreCapabilities' },
  topics: { capabilities: 'topicCapabilities' },
  locks: { capabilities: 'lockCapabilities' },
  limits: { capabilities: 'limitCapabilities' },
  sessions: { capabilities: 'sessionCapabilities' },
  fleet: { capabilities: 'fleetCapabilities' },
  structures: { capabilities: 'structureCapabilities' },
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

type Check = readonly [name: Name, check: (value: unknown) => void]

/** A provider is checked where it is given alone, and where a store brings it. */
function checksOf(kind: ProviderKind | 'fleet'): readonly Check[] {
  const capabilities = NESTED[kind]?.['capabilities'] as Name
  return [
    [kind, (value) => assertProvider(kind, value, 'x')],
    [kind, (value) => assertLocalStore({ ...wholeOf('local'), [kind]: value }, 'x')],
    [kind, (value) => assertRemoteStore({ ...wholeOf('remote'), [kind]: value }, 'x')],
    [capabilities, (value) => assertProvider(kind, { ...wholeOf(kind), capabilities: value }, 'x')],
  ]
}

const CHECKS: readonly Check[] = [
  ['local', (value) => assertLocalStore(value, 'x')],
  ['remote', (value) => assertRemoteStore(value, 'x')],
  [
    'capabilities',
    (value) => assertRemoteStore({ ...wholeOf('remote'), capabilities: value }, 'x'),
  ],
  ['bus', (value) => assertRemoteStore({ ...wholeOf('remote'), bus: value }, 'x')],
  ...([...PROVIDER_KINDS, 'fleet'] as const).flatMap(checksOf),
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
      value === undefined &&
      /bus|boards|locks|limits|sessions|fleet|streams|structures|eventStore|topics|writes/.test(
        name,
      )
    if (!isOptional) expect(() => check(value)).toThrow(InvalidOptionError)
  })
})
