/**
 * Checks that what implements a contract has all of it. What is missing would show much later, and as something else: a local
 * store without `peek` would let every eviction resolve with nothing evicted.
 *
 * The lists are held against the contracts' types: one that gains a member does not compile until its list has it.
 */

import type { Bus } from '../contracts/bus.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Codec, CodecStep } from '../contracts/codec.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LockCapabilities, LockProvider } from '../contracts/lock-provider.ts'
import type { Plugin } from '../contracts/plugin.ts'
import type { RateLimitCapabilities, RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { RemoteCapabilities, RemoteStore } from '../contracts/remote-store.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

type KindOf<Member> = Member extends (...args: never) => unknown
  ? 'function'
  : Member extends string
    ? 'string'
    : Member extends number
      ? 'number'
      : Member extends boolean
        ? 'boolean'
        : 'object'

/** What each member of a contract has to be; a question mark stands after what may be left out. */
export type Shape<Contract> = {
  readonly [Name in keyof Contract]-?: undefined extends Contract[Name]
    ? `${KindOf<NonNullable<Contract[Name]>>}?`
    : KindOf<Contract[Name]>
}

const LOCK_CAPABILITIES: Shape<LockCapabilities> = {
  shared: 'boolean',
  queues: 'boolean',
  replicas: 'boolean',
  modes: 'object',
}

const LIMIT_CAPABILITIES: Shape<RateLimitCapabilities> = { shared: 'boolean' }

const REMOTE_CAPABILITIES: Shape<RemoteCapabilities> = {
  leases: 'boolean',
  sequences: 'boolean',
  tags: 'boolean',
  publishes: 'boolean',
  scans: 'boolean',
}
