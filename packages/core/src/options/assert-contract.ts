/**
 * Checks that an implementation of a contract has every member. A missing one would show much later, and as another fault: a
 * local store without `peek` would let every eviction resolve with nothing evicted.
 */

import type { ValueType } from '../contracts/codec.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { PluginParts } from '../contracts/plugin.ts'
import type { RemoteStore } from '../contracts/remote-store.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertShape } from './assert-shape.ts'
import { SHAPES, VALUE_TYPE } from './contract-shapes.ts'
import { assertStoreProviders } from './providers.ts'

/** @throws InvalidOptionError naming the first member that is missing or has another type; so do all of these. */
export function assertLocalStore(store: unknown, option: string): void {
  const expected = 'a local store such as lruStore()'
  assertShape(store, SHAPES.local, { option, expected })
  assertStoreProviders(store as LocalStore, option)
}

export function assertRemoteStore(store: unknown, option: string): void {
  const expected = 'a remote store such as redisStore()'
  assertShape(store, SHAPES.remote, { option, expected })
  const { capabilities, bus } = store as RemoteStore
  const what = { option: `${option}.capabilities`, expected: 'what the store can promise' }
  assertShape(capabilities, SHAPES.capabilities, what)
  if (bus !== undefined)
    assertShape(bus, SHAPES.bus, { option: `${option}.bus`, expected: 'a bus' })
  assertStoreProviders(store as RemoteStore, option)
}

export function assertCodec(codec: unknown, option: string): void {
  assertShape(codec, SHAPES.codec, { option, expected: 'a function that returns a codec' })
}

export function assertPlugins(plugins: unknown, option: string): void {
  const expected = 'an array of plugins, each with a name'
  if (!Array.isArray(plugins)) throw new InvalidOptionError({ option, expected, received: plugins })
  for (const plugin of plugins as readonly unknown[]) {
    assertShape(plugin, SHAPES.plugin, { option, expected })
    const { name, codecSteps = [] } = plugin as PluginParts
    if (name === '') throw new InvalidOptionError({ option, expected, received: plugin })
    const steps = `${option}.${name}.codecSteps`
    for (const step of Array.isArray(codecSteps) ? codecSteps : [codecSteps]) {
      assertShape(step, SHAPES.step, { option: steps, expected: 'an array of codec steps' })
    }
  }
}

/** @throws InvalidOptionError unless they are types, each with a class and the way there and back */
export function assertValueTypes(types: unknown, option: string): void {
  if (!Array.isArray(types)) {
    const expected = 'an array of types, as valueType() makes them'
    throw new InvalidOptionError({ option, expected, received: types })
  }
  for (const type of types as readonly unknown[]) assertValueType(type, option)
}

/** The same of one. */
export function assertValueType(type: unknown, option: string): void {
  const expected = 'a type: its name, its class, and encode and decode'
  assertShape(type, VALUE_TYPE, { option, expected })
  if ((type as ValueType).name === '')
    throw new InvalidOptionError({ option, expected, received: type })
}

export function assertClock(clock: unknown, option: string): void {
  assertShape(clock, SHAPES.clock, { option, expected: 'a clock such as createSystemClock()' })
}
