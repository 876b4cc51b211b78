/**
 * `@larder/redis-store/inspect`: looks into what Larder keeps in a Redis, for command lines and dashboards. Reading is done
 * by plain commands that create nothing; changes go through the scripts that nodes use, so that all nodes hear of them.
 */

export { refusalOf } from '../connection/refusal.ts'
export type { Use } from '../connection/rights.ts'
export { type MissingRights, missingRights } from '../connection/rights.ts'
export type { BusTail, BusTailListener } from './bus-tail.ts'
export type { ChannelProbe, Delivery } from './channel-probe.ts'
export type { EntryFacts, StoredForm } from './entry-facts.ts'
export {
  type Explanation,
  explainEntry,
  msOf,
  type Outcome,
  type Reason,
  spanOf,
} from './explain.ts'
export type { SeenFleet } from './fleet.ts'
export { type Inspection, type InspectionSource, inspectRedis } from './inspection.ts'
export type { LimitRow } from './limits.ts'
export type { LockRow } from './locks.ts'
export type { NamespaceFacts } from './namespace-facts.ts'
export { type NamespaceRow, namespaceOf } from './namespaces.ts'
export type { Looked, ScanOptions } from './scan.ts'
export { cacheOf, type EntryRow, isWithoutValue } from './scanned-entries.ts'
export { InspectedServer } from './server.ts'
