/** Larder: a cache for TypeScript classes that stays true. For those who use a cache; what stores, plugins and integrations need is in `store.ts`. */

export { Cache } from './cache/cache.ts'
export type { EntryOptions, GetOptions, LoadOptions } from './cache/entry-options.ts'
export type { EntryView } from './cache/entry-view.ts'
export { loadSignal } from './cache/load-scope.ts'
export type { LoadContext } from './cache/read-call.ts'
export type { UpdateOptions } from './cache/update-options.ts'
export type { WarmOptions, WarmProgress } from './cache/warm.ts'
export type { PatternProgress } from './cache/write-path.ts'
export type { ValueType } from './contracts/codec.ts'
export type { LockMode, LockReplicas, LockState } from './contracts/lock-provider.ts'
export type { CalendarPeriod } from './contracts/rate-limit-provider.ts'
export type {
  AsyncMethod,
  AsyncMethodDecorator,
  EachMethodDecorator,
  FittingMethod,
} from './decorators/bound/method-decorator.ts'
export type { AnyClass } from './decorators/bound/method-site.ts'
export type { Operation } from './decorators/bound/operations.ts'
export { CacheConfig, type ClassConfig } from './decorators/cache-config.ts'
export { CacheEvict } from './decorators/cache-evict.ts'
export type {
  CacheEvictBeforeOptions,
  CacheEvictOptions,
} from './decorators/cache-evict-options.ts'
export { CachePut, type CachePutOptions } from './decorators/cache-put.ts'
export { Cacheable, type CacheableOptions } from './decorators/cacheable.ts'
export { type AsyncMethodName, cached, type EntriesOf } from './decorators/cached.ts'
export {
  type ClassDescription,
  type DescribedMethod,
  describeClass,
} from './decorators/describe-class.ts'
export {
  type LimitableMethod,
  type LimitedMethodDecorator,
  type LimitsOwner,
  RateLimited,
} from './decorators/rate-limited.ts'
export type {
  OnLimit,
  RateLimitedOptions,
  RateLimitedOwnOptions,
} from './decorators/rate-limited-options.ts'
export type { CacheableEachOptions, EachOptions } from './decorators/reading/each-options.ts'
export type { MethodEntries } from './decorators/reading/entry-handle.ts'
export type { StoringOptions } from './decorators/reading/storing-options.ts'
export { skipCache } from './decorators/skip-cache.ts'
export { type LocksOwner, WithLock, type WithLockOptions } from './decorators/with-lock.ts'
export { BoardOptionsError, BoardRangeError, BoardUnavailableError } from './errors/board-error.ts'
export { ClosedError } from './errors/closed-error.ts'
export { ERROR_CODES, type ErrorCode } from './errors/codes.ts'
export { EncryptionKeyError, type EncryptionReason } from './errors/encryption-error.ts'
export { EventConflictError, EventStoreUnavailableError } from './errors/event-store-error.ts'
export { KeyError } from './errors/key-error.ts'
export { LarderError } from './errors/larder-error.ts'
export { LoadTimeoutError } from './errors/load-error.ts'
export {
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  NoLockError,
} from './errors/lock-error.ts'
export { MessageInvalidError, type MessageIssue } from './errors/message-error.ts'
export { NotConfiguredError } from './errors/not-configured-error.ts'
export { InvalidOptionError } from './errors/option-error.ts'
export { RateLimitedError, RateLimitUnavailableError } from './errors/rate-limit-error.ts'
export { SessionUnavailableError } from './errors/session-error.ts'
export {
  RecoveryQueueError,
  type RefusalReason,
  StoreKeyError,
  StoreRefusedError,
  StoreSetupError,
  StoreTimeoutError,
  StoreUnavailableError,
} from './errors/store-error.ts'
export { StreamUnavailableError } from './errors/stream-error.ts'
export { StructureFullError, StructureUnavailableError } from './errors/structure-error.ts'
export { TopicUnavailableError } from './errors/topic-error.ts'
export { UpdateConflictError, UpdateFailedError } from './errors/update-error.ts'
export { ValueError } from './errors/value-error.ts'
export {
  RejectedWriteError,
  WriteNotDurableError,
  WriteOutdatedError,
  WriteQueueFullError,
  WritesPendingError,
  WritesUnavailableError,
} from './errors/write-error.ts'
export { CACHE_EVENTS, type EventDescription } from './events/event-table.ts'
export type {
  AllEvents,
  CacheEventName,
  CacheEvents,
  EventName,
  MissReason,
  OutageKind,
  PluginEvents,
  PutOutcome,
  UndecodableReason,
} from './events/events.ts'
export type {
  EvictTrace,
  LimitTrace,
  LoadTrace,
  LockTrace,
  ReadTrace,
  Trace,
  TracedFlight,
} from './events/traces.ts'
export type { Fleet, FleetNode, FleetStats } from './fleet/fleet.ts'
export type { FleetOptions } from './fleet/fleet-options.ts'
export type { NodeBreaker, NodeStatus } from './fleet/node-report.ts'
export type { CacheKeyed } from './keys/encode-arguments.ts'
export type { Key, KeyPart } from './keys/key-text.ts'
export type { SkipMode } from './lifecycle/call-context.ts'
export {
  type ClientAddressOptions,
  clientAddress,
  type RequestLike,
} from './limits/client-address.ts'
export type { ConsumeOptions, RunOptions } from './limits/consume-options.ts'
export { type RateLimitHeaderOptions, rateLimitHeaders } from './limits/http-headers.ts'
export {
  type RateLimitProblem,
  type RateLimitProblemType,
  rateLimitProblem,
} from './limits/http-problem.ts'
export { ipKey } from './limits/ip-key.ts'
export type { Limiter } from './limits/limiter.ts'
export type {
  LimiterOptions,
  LimiterOwnOptions,
  OneConcurrency,
  OnePolicy,
  OnStoreError,
  SeveralPolicies,
} from './limits/limiter-options.ts'
export type { ConcurrencyOptions, LimitOf, PolicyOptions } from './limits/policy-options.ts'
export type { RateLimitDraft } from './limits/rate-limit-fields.ts'
export type { PolicyUsage, RateLimitVerdict, VerdictSource } from './limits/verdict.ts'
export type { Lock } from './locks/lock.ts'
export type { LockOptions, ReplicasOptions } from './locks/lock-options.ts'
export { currentLock } from './locks/lock-scope.ts'
export type { Locks } from './locks/locks.ts'
export { type QuorumLocksOptions, quorumLocks } from './locks/quorum-locks.ts'
export { CacheManager, createCacheManager } from './manager/cache-manager.ts'
export type { HealthProblem, HealthReason, ManagerHealth } from './manager/health.ts'
export type { CacheManagerOptions } from './manager/manager-options.ts'
export type { BreakerStatus, ManagerStatus } from './manager/status.ts'
export type { BusGaps, StoreCalls } from './manager/store-tallies.ts'
export type { CacheOptions, Isolation } from './options/cache-options.ts'
export type { Duration } from './options/duration.ts'
export type { EvictOptions, SoftOption } from './options/evict-options.ts'
export type { Logger } from './options/logger.ts'
export type { MeasureStalenessOptions } from './options/measure-staleness.ts'
export type { Size } from './options/size.ts'
export { valueType } from './options/value-type.ts'
export { LATENCY_BOUNDS_MS, type LatencySummary } from './stats/histogram.ts'
export type { StalenessStats, StaleReason } from './stats/staleness.ts'
export type { ManagerStats, ReadStats } from './stats/stats.ts'
