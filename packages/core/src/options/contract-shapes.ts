/**
 * What each contract has, by the type of each member; for the checks of implementations.
 *
 * The lists are checked against the types of the contracts: a contract that gains a member does not compile until its list has it.
 */

import type { BoardCapabilities, BoardProvider } from '../contracts/board-provider.ts'
import type { Bus } from '../contracts/bus.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Codec, CodecStep, ValueType } from '../contracts/codec.ts'
import type { FleetCapabilities, FleetProvider } from '../contracts/fleet-provider.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LockCapabilities, LockProvider } from '../contracts/lock-provider.ts'
import type { PluginParts } from '../contracts/plugin.ts'
import type { StoreProviders } from '../contracts/providers.ts'
import type { RateLimitCapabilities, RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { RemoteCapabilities, RemoteStore } from '../contracts/remote-store.ts'
import type { SessionCapabilities, SessionProvider } from '../contracts/session-provider.ts'
import type { StructureCapabilities, StructureProvider } from '../contracts/structure-provider.ts'
import type { WriteCapabilities, WriteProvider } from '../contracts/write-provider.ts'
import type { Shape } from './assert-shape.ts'
import { MESSAGING_SHAPES } from './messaging-shapes.ts'
import { STREAM_CAPABILITIES, STREAMS } from './stream-shapes.ts'

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

const BOARD_CAPABILITIES: Shape<BoardCapabilities> = { shared: 'boolean' }

const BOARDS: Shape<BoardProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  submit: 'function',
  look: 'function',
  remove: 'function',
  add: 'function',
  counts: 'function',
  seen: 'function',
  unique: 'function',
  close: 'function',
}

const SESSION_CAPABILITIES: Shape<SessionCapabilities> = { shared: 'boolean' }

const SESSIONS: Shape<SessionProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  read: 'function',
  save: 'function',
  end: 'function',
  move: 'function',
  endAll: 'function',
  list: 'function',
  scan: 'function?',
  close: 'function',
}

const STRUCTURE_CAPABILITIES: Shape<StructureCapabilities> = { shared: 'boolean' }

const STRUCTURES: Shape<StructureProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  put: 'function',
  remove: 'function',
  read: 'function',
  clear: 'function',
  close: 'function',
}

const WRITE_CAPABILITIES: Shape<WriteCapabilities> = { shared: 'boolean' }

const WRITES: Shape<WriteProvider> = {
  name: 'string',
  capabilities: 'object',
  open: 'function',
  whenTried: 'function?',
  onTrouble: 'function?',
  keepsAll: 'function',
  enqueue: 'function',
  waiting: 'function',
  take: 'function',
  renew: 'function',
  acknowledge: 'function',
  postpone: 'function',
  bury: 'function',
  release: 'function',
  hurry: 'function',
  state: 'function',
  buried: 'function',
  replay: 'function',
  discard: 'function',
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

const STORE_PROVIDERS: Shape<StoreProviders> = {
  locks: 'object?',
  limits: 'object?',
  sessions: 'object?',
  boards: 'object?',
  streams: 'object?',
  eventStore: 'object?',
  topics: 'object?',
  structures: 'object?',
  writes: 'object?',
  fleet: 'object?',
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
  ...STORE_PROVIDERS,
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
  ...STORE_PROVIDERS,
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

export const VALUE_TYPE = {
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
  boards: BOARDS,
  boardCapabilities: BOARD_CAPABILITIES,
  sessions: SESSIONS,
  sessionCapabilities: SESSION_CAPABILITIES,
  streams: STREAMS,
  streamCapabilities: STREAM_CAPABILITIES,
  ...MESSAGING_SHAPES,
  fleet: FLEET,
  fleetCapabilities: FLEET_CAPABILITIES,
  structures: STRUCTURES,
  structureCapabilities: STRUCTURE_CAPABILITIES,
  writes: WRITES,
  writeCapabilities: WRITE_CAPABILITIES,
  codec: CODEC,
  step: CODEC_STEP,
  plugin: PLUGIN,
  clock: CLOCK,
} as const
