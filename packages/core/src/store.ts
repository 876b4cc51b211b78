/**
 * `@larder/core/store`: for those who write stores, plugins and integrations. Contracts, the form of entries, checks of
 * options, and the door to what a manager keeps to itself.
 */

export { boardShape } from './boards/board-shape.ts'
export { Periods, type PeriodsNow, periodsOf } from './boards/periods.ts'
export type { BoundIdentity, BoundValues } from './cache/bound-values.ts'
export type { PutFence } from './cache/put-fence.ts'
export { beginQueuedPut, putQueued } from './cache/put-queued.ts'
export type { ReadRules } from './cache/read-call.ts'
export { startTimer } from './clock/system-clock.ts'
export { ALL_PARTITIONS, PARTITIONS, partitionOf } from './coherence/partitions.ts'
export { softTag, tagBehind } from './coherence/soft-tags.ts'
export { cacheTag, EVERYTHING, partitionTag, tagName, tagText } from './coherence/tag-clock.ts'
export type {
  BoardCapabilities,
  BoardPart,
  BoardPlace,
  BoardProvider,
  BoardReply,
  BoardRule,
  BoardScore,
  BoardUpdate,
  BoardView,
  SubmitReply,
} from './contracts/board-provider.ts'
export type {
  Bus,
  BusListener,
  BusMessage,
  DoubtMessage,
  KeysMessage,
  TagsMessage,
  WakeMessage,
} from './contracts/bus.ts'
export type { CancelTimer, Clock, Waiter } from './contracts/clock.ts'
export type {
  Codec,
  CodecFactory,
  CodecStep,
  CodecStepContext,
  CodecStepLimits,
} from './contracts/codec.ts'
export type {
  AddReply,
  CounterAdd,
  CounterRule,
  CounterSteps,
  PeriodCount,
} from './contracts/counter-steps.ts'
export type {
  EventAppend,
  EventAppendReply,
  EventLogPage,
  EventLogRange,
  EventPlace,
  EventRange,
  EventStoreCapabilities,
  EventStoreProvider,
  ExpectedVersion,
  KeptEvent,
  LoggedEvent,
  LogPosition,
  NewEvent,
  ProjectionClaim,
  ProjectionSave,
  ProjectionSaved,
  ProjectionTurn,
} from './contracts/event-store-provider.ts'
export {
  type FleetCapabilities,
  type FleetProvider,
  type Heartbeat,
  type KeptHeartbeat,
  type KeptHeartbeats,
  LONGEST_HEARTBEAT_MS,
  MOST_NODES,
} from './contracts/fleet-provider.ts'
export { INTERNALS } from './contracts/internals.ts'
export type { LocalStore } from './contracts/local-store.ts'
export type {
  AcquireReply,
  AcquireRequest,
  LockCapabilities,
  LockProvider,
  LockTarget,
  WakeListener,
} from './contracts/lock-provider.ts'
export type { PeriodRule } from './contracts/period-rule.ts'
export type {
  Admission,
  CalendarPolicy,
  ConcurrencyPolicy,
  ExactPolicy,
  FixedPolicy,
  FreedListener,
  LimitPolicy,
  LimitReply,
  LimitRequest,
  LimitRule,
  PolicyState,
  RateLimitCapabilities,
  RateLimitProvider,
  SlicedPolicy,
  SmoothPolicy,
} from './contracts/rate-limit-provider.ts'
export type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  RemoteCapabilities,
  RemoteStore,
  SwapReply,
  SwapRequest,
  SyncReply,
  TagBump,
  TagChanges,
  TagHead,
} from './contracts/remote-store.ts'
export type {
  ListedSession,
  LiveSession,
  MovedSession,
  MoveReply,
  NamedSession,
  NoSession,
  SaveMode,
  SaveReply,
  SessionCapabilities,
  SessionMove,
  SessionPlace,
  SessionProvider,
  SessionRead,
  SessionReply,
  SessionRule,
  SessionSave,
} from './contracts/session-provider.ts'
export type {
  AdditionReply,
  DeadLetterEntry,
  StreamAddition,
  StreamCapabilities,
  StreamEntry,
  StreamGroup,
  StreamProvider,
  StreamRead,
  StreamReader,
  StreamRule,
  StreamSettlement,
  StreamStatusReply,
  StreamTake,
  StreamTaken,
} from './contracts/stream-provider.ts'
export type {
  StoredItem,
  StructureCapabilities,
  StructureItem,
  StructurePart,
  StructureProvider,
  StructurePut,
  StructurePutReply,
  StructureReply,
  StructureRule,
} from './contracts/structure-provider.ts'
export type {
  TopicCapabilities,
  TopicListener,
  TopicProvider,
  TopicTarget,
} from './contracts/topic-provider.ts'
export {
  MOST_EXACT_UNION,
  type UniqueCount,
  type UniqueRule,
  type UniqueSteps,
} from './contracts/unique-steps.ts'
export type {
  BuriedWrite,
  BuryReply,
  BuryRequest,
  EnqueueReply,
  EnqueueRequest,
  NewWrite,
  PostponeRequest,
  QueueHold,
  QueueState,
  ReplayReply,
  StepReply,
  TakenWrite,
  TakeReply,
  TakeRequest,
  WaitingWrite,
  WriteCapabilities,
  WriteKind,
  WriteProvider,
  WrittenKey,
} from './contracts/write-provider.ts'
export { type BoundMethod, invoke, MethodBinder } from './decorators/bound/bound-method.ts'
export { readCallback } from './decorators/bound/callbacks.ts'
export type {
  MethodCache,
  MethodCacheProvider,
  MethodDescription,
  MethodEviction,
} from './decorators/bound/method-cache.ts'
export {
  type AnyMethod,
  assertCalledWithOptions,
  methodDecorator,
} from './decorators/bound/method-decorator.ts'
export type { AnnotateThis, ArgsOf, WriteParentheses } from './decorators/bound/unannotated.ts'
export { keySource } from './decorators/reading/key-source.ts'
export type { EntryDraft, EntryHeader, StoredEntry } from './entry/envelope.ts'
export {
  decodeEntry,
  decodeHeader,
  encodeEntry,
  FLAG,
  FORMAT_VERSION,
  HEADER_BYTES,
  isMark,
  MAGIC,
  OFFSET,
} from './entry/envelope.ts'
export { freezeDecoded } from './entry/freeze.ts'
export {
  clearLease,
  emptyHeader,
  limitLife,
  setFlag,
  setLease,
  setLife,
  softenEntry,
  stampCreation,
  windowOf,
} from './entry/header-patch.ts'
export { fleetOf } from './fleet/fleet.ts'
export { encodeArguments } from './keys/encode-arguments.ts'
export { isShortForm, keyText } from './keys/key-text.ts'
export { type KeptContext, keepContext, runIn } from './lifecycle/call-context.ts'
export { CalendarEdges } from './limits/calendar-edges.ts'
export { LIMITER_OPTION_NAMES } from './limits/limiter-options.ts'
export { type ResolvedLimiter, resolveLimiter } from './limits/resolve-limiter.ts'
export type { SessionParts } from './manager/create-sessions.ts'
export type { StructureParts } from './manager/create-structures.ts'
export type { WriteParts } from './manager/create-writes.ts'
export type { StoreParts } from './manager/late-part.ts'
export type {
  BoardParts,
  EventStoreParts,
  StreamParts,
  TopicParts,
} from './manager/late-parts.ts'
export type { HostManager, Plugin, PluginHost } from './manager/plugin.ts'
export { assertClock } from './options/assert-contract.ts'
export {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  assertTags,
  assertText,
  nearestName,
} from './options/assert-option.ts'
export { parseDuration } from './options/duration.ts'
export { assertName } from './options/name.ts'
export { optionNames } from './options/option-names.ts'
export { orDefault } from './options/or-default.ts'
export { parseSize } from './options/size.ts'
export type { SessionStore, SessionTerms } from './sessions/session-store.ts'
export type { SessionValues } from './sessions/session-values.ts'
export { isTagOfUser, sessionDigest, tagOfUser } from './sessions/user-tag.ts'
export { isPlainData, type PlainParts, plainPartsOf } from './values/plain-data.ts'
export { createTaggedTree, type TaggedTree } from './values/tagged-tree.ts'
