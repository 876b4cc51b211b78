/**
 * Checks that an implementation of a contract has every member. A missing one would show much later, and as another fault: a
 * local store without `peek` would let every eviction resolve with nothing evicted.
 */

import type { Bus } from '../contracts/bus.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Codec, CodecStep, ValueType } from '../contracts/codec.ts'
import type { FleetCapabilities, FleetProvider } from '../contracts/fleet-provider.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LockCapabilities, LockProvider } from '../contracts/lock-provider.ts'
import type { PluginParts } from '../contracts/plugin.ts'
import type { RateLimitCapabilities, RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { RemoteCapabilities, RemoteStore } from '../contracts/remote-store.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertShape, type Shape } from './assert-shape.ts'

const LOCK_CAPABILITIES: Shape<LockCapabilities> = {
  shared: 'boolean',
  queues: 'boolean',
  replicas: 'boolean',
  weights: 'boolean?',
  modes: 'object',
}

const LIMIT_CAPABILITIES: Shape<RateLimitCapabilities> = { shared: 'boolean' }

const FLEET_CAPABILITIES: Shape<FleetCapabilities> = { shared: 'boolean' }

const REMOTE_CAPABILITIES: Shape<RemoteCapabilities> = {
  leases: 'boolean',
  sequences: 'boolean',
  tags: 'boolean',
  publishes: 'boolean',
  scans: 'boolean',
}

const LOCKS: Shape<LockProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  acquire: 'function',
  renew: 'function',
  release: 'function',
  leave: 'function',
  inspect: 'function',
  raise: 'function?',
  onWake: 'function?',
  close: 'function',
}

const LIMITS: Shape<RateLimitProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  decide: 'function',
  refund: 'function',
  refundAll: 'function?',
  renew: 'function',
  reset: 'function',
  adjust: 'function?',
  block: 'function?',
  listener: 'object?',
  close: 'function',
}

const FLEET: Shape<FleetProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  beat: 'function',
  leave: 'function',
  list: 'function',
  close: 'function',
}

const LOCAL: Shape<LocalStore> = {
  name: 'string',
  get: 'function',
  peek: 'function',
  set: 'function',
  delete: 'function',
  clear: 'function',
  keys: 'function',
  size: 'number',
  bytes: 'number',
  measuresBytes: 'boolean',
  locks: 'object?',
  limits: 'object?',
  fleet: 'object?',
  onDrop: 'function?',
  askAboutUse: 'function?',
}

const BUS: Shape<Bus> = {
  name: 'string',
  subscribe: 'function',
  publish: 'function?',
  close: 'function',
}

const REMOTE: Shape<RemoteStore> = {
  name: 'string',
  capabilities: 'object',
  codec: 'function?',
  bus: 'object?',
  locks: 'object?',
  limits: 'object?',
  fleet: 'object?',
  readsAtOnce: 'number?',
  open: 'function',
  read: 'function',
  readHeaders: 'function',
  claim: 'function',
  renew: 'function',
  release: 'function',
  fill: 'function',
  put: 'function',
  swap: 'function?',
  evict: 'function',
  sync: 'function',
  changesSince: 'function',
  bumpTags: 'function',
  tagsSince: 'function',
  scan: 'function',
  ready: 'boolean?',
  whenTried: 'function?',
  onTrouble: 'function?',
  close: 'function',
}

const VALUE_TYPE = {
  name: 'string',
  class: 'function',
  encode: 'function',
  decode: 'function',
} as const satisfies Readonly<Record<keyof ValueType, string>>

const CODEC: Shape<Codec> = {
  name: 'string',
  encode: 'function',
  decode: 'function',
  decodeFrozen: 'function?',
}

const CODEC_STEP: Shape<CodecStep> = {
  id: 'number',
  name: 'string',
  required: 'boolean?',
  readsWithout: 'function?',
  encode: 'function?',
  decode: 'function',
}

const PLUGIN: Shape<PluginParts> = {
  name: 'string',
  codecSteps: 'object?',
  events: 'object?',
  start: 'function?',
  stop: 'function?',
}

const CLOCK: Shape<Clock> = {
  now: 'function',
  schedule: 'function',
  wall: 'function?',
  afterArrivals: 'function?',
}

/** The lists, for tests. */
export const SHAPES = {
  local: LOCAL,
  remote: REMOTE,
  capabilities: REMOTE_CAPABILITIES,
  bus: BUS,
  locks: LOCKS,
  lockCapabilities: LOCK_CAPABILITIES,
  limits: LIMITS,
  limitCapabilities: LIMIT_CAPABILITIES,
  fleet: FLEET,
  fleetCapabilities: FLEET_CAPABILITIES,
  codec: CODEC,
  step: CODEC_STEP,
  plugin: PLUGIN,
  clock: CLOCK,
} as const

/** @throws InvalidOptionError naming the first member that is missing or has another type; so do all of these. */
export function assertLocalStore(store: unknown, option: string): void {
  const expected = 'a local store such as lruStore()'
  assertShape(store, LOCAL, { option, expected })
  const { locks, limits, fleet } = store as LocalStore
  if (locks !== undefined) assertLockProvider(locks, `${option}.locks`)
  if (limits !== undefined) assertLimitProvider(limits, `${option}.limits`)
  if (fleet !== undefined) assertFleetProvider(fleet, `${option}.fleet`)
}

export function assertRemoteStore(store: unknown, option: string): void {
  const expected = 'a remote store such as redisStore()'
  assertShape(store, REMOTE, { option, expected })
  const { capabilities, bus, locks, limits, fleet } = store as RemoteStore
  const what = { option: `${option}.capabilities`, expected: 'what the store can promise' }
  assertShape(capabilities, REMOTE_CAPABILITIES, what)
  if (bus !== undefined) assertShape(bus, BUS, { option: `${option}.bus`, expected: 'a bus' })
  if (locks !== undefined) assertLockProvider(locks, `${option}.locks`)
  if (limits !== undefined) assertLimitProvider(limits, `${option}.limits`)
  if (fleet !== undefined) assertFleetProvider(fleet, `${option}.fleet`)
}

export function assertLockProvider(provider: unknown, option: string): void {
  const expected = 'a lock provider such as redisLocks() or localLocks()'
  assertShape(provider, LOCKS, { option, expected })
  const what = { option: `${option}.capabilities`, expected: 'what the provider can promise' }
  assertShape((provider as LockProvider).capabilities, LOCK_CAPABILITIES, what)
}

export function assertLimitProvider(provider: unknown, option: string): void {
  const expected = 'a rate-limit provider such as redisLimits() or localLimits()'
  assertShape(provider, LIMITS, { option, expected })
  const what = { option: `${option}.capabilities`, expected: 'what the provider can promise' }
  assertShape((provider as RateLimitProvider).capabilities, LIMIT_CAPABILITIES, what)
}

export function assertFleetProvider(provider: unknown, option: string): void {
  const expected = 'a fleet provider such as localFleet()'
  assertShape(provider, FLEET, { option, expected })
  const what = { option: `${option}.capabilities`, expected: 'what the provider can promise' }
  assertShape((provider as FleetProvider).capabilities, FLEET_CAPABILITIES, what)
}

export function assertCodec(codec: unknown, option: string): void {
  assertShape(codec, CODEC, { option, expected: 'a function that returns a codec' })
}

export function assertPlugins(plugins: unknown, option: string): void {
  const expected = 'an array of plugins, each with a name'
  if (!Array.isArray(plugins)) throw new InvalidOptionError({ option, expected, received: plugins })
  for (const plugin of plugins as readonly unknown[]) {
    assertShape(plugin, PLUGIN, { option, expected })
    const { name, codecSteps = [] } = plugin as PluginParts
    if (name === '') throw new InvalidOptionError({ option, expected, received: plugin })
    const steps = `${option}.${name}.codecSteps`
    for (const step of Array.isArray(codecSteps) ? codecSteps : [codecSteps]) {
      assertShape(step, CODEC_STEP, { option: steps, expected: 'an array of codec steps' })
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
  assertShape(clock, CLOCK, { option, expected: 'a clock such as createSystemClock()' })
}
