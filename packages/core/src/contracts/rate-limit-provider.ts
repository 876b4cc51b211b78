/**
 * What the limit logic asks of a store: admitting calls under a rule, in one atomic step each.
 *
 * All amounts of time are whole microseconds on the store's own clock, below 2^53; the clocks of the callers decide
 * nothing. Every method may reject at any time; the caller bounds it with its own deadline and ignores late replies.
 */

/** Calendar periods, each beginning at midnight (or on the hour) of the time zone; weeks begin on Monday. */
export type CalendarPeriod = 'hour' | 'day' | 'week' | 'month'

interface NamedPolicy {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly name: string
  /** The most cost admitted. 0 admits nothing. */
  readonly limit: number
}

interface WindowedPolicy extends NamedPolicy {
  readonly windowUs: number
}

/** Never more than `limit` in any window: remembers the time of each admission. */
export interface ExactPolicy extends WindowedPolicy {
  readonly algorithm: 'exact'
}

/** Never more than `limit` in any window: counts per slice, and counts one slice more than the window has. */
export interface SlicedPolicy extends WindowedPolicy {
  readonly algorithm: 'window'
  /** Times `slices`, this is at least a window. */
  readonly sliceUs: number
  readonly slices: number
}

/** A bucket of `burst` permits that gets one back every `intervalUs` (GCRA). */
export interface SmoothPolicy extends WindowedPolicy {
  readonly algorithm: 'smooth'
  readonly intervalUs: number
  readonly burst: number
}

/** `limit` per period that begins with the first admission after the last period. */
export interface FixedPolicy extends WindowedPolicy {
  readonly algorithm: 'fixed'
}

/** `limit` per period of the calendar. */
export interface CalendarPolicy extends NamedPolicy {
  readonly algorithm: 'calendar'
  readonly period: CalendarPeriod
  /** IANA name. */
  readonly timeZone: string
}

/** `limit` at the same time; each permit ends after `termUs` unless it is renewed or given back. */
export interface ConcurrencyPolicy extends NamedPolicy {
  readonly algorithm: 'concurrency'
  readonly termUs: number
}

export type LimitPolicy =
  | ExactPolicy
  | SlicedPolicy
  | SmoothPolicy
  | FixedPolicy
  | CalendarPolicy
  | ConcurrencyPolicy

/** Policies that must all admit a call, and what a refusal does. */
export interface LimitRule {
  /** Which limiter: calls of one limiter and one key share their state. Of the same alphabet as policy names. */
  readonly limiter: string
  readonly policies: readonly LimitPolicy[]
  /** How far ahead a call may be admitted: it then waits for its turn. 0: now or not at all. */
  readonly maxWaitUs: number
  /** Refused calls count as well, so that a caller that keeps trying stays refused. */
  readonly penalty: boolean
  /** After a refusal, nothing is admitted for this long. 0: only what `block` says. */
  readonly blockUs: number
}

export interface LimitRequest {
  readonly key: string
  /** A whole number. 0 asks for the state and is admitted unless the key is blocked. */
  readonly cost: number
  /** `peek` says what `take` would, and changes nothing. */
  readonly kind: 'take' | 'peek'
  /** Identifies the permits of this call; for rules with a `concurrency` policy. */
  readonly permit: string
}

/** Where a policy stands after the decision. */
export interface PolicyState {
  readonly remaining: number
  /** How long until all of `limit` is available again if no call takes any, µs. */
  readonly resetUs: number
}

export interface LimitReply {
  readonly admitted: boolean
  /**
   * Admitted: how long the call has to wait for its turn, which is reserved. Refused: after how long the same call would
   * be admitted if no other call came, and not a microsecond earlier; Infinity when it costs more than a policy's limit.
   */
  readonly waitUs: number
  /** Index of the policy that would admit the call last; -1 when admitted. */
  readonly refusedBy: number
  /** In the order of the rule's policies. */
  readonly states: readonly PolicyState[]
  /** The store's clock when it decided, µs. Together with `waitUs` it identifies this admission. */
  readonly nowUs: number
  /**
   * Why this call could not be decided, such as a value of another kind under its key; then the rest means nothing. It says
   * nothing about the other calls, and nothing about the store.
   */
  readonly error?: unknown
}

/** One admission, to be given back. */
export interface Admission {
  readonly key: string
  readonly cost: number
  readonly permit: string
  readonly nowUs: number
  readonly waitUs: number
}

export interface RateLimitCapabilities {
  /** Calls in other processes count. */
  readonly shared: boolean
}

/** Is told what makes earlier refusals untrue; its methods must not throw. */
export interface FreedListener {
  /** Permits of this key were given back, or the key was reset. */
  onFreed(limiter: string, key: string): void
  /** Messages may have been missed. */
  onDoubt(): void
}

export interface RateLimitProvider {
  /** `redis`, `local`. */
  readonly name: string
  readonly capabilities: RateLimitCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /**
   * Begins to connect, after `open`, and resolves when the first attempt has ended, well or badly; at once when it has ended.
   * Until then a failure says nothing about the other side, because a process that starts is slow. Never rejects; bound it.
   */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /**
   * Decides calls one after the other, in order, in one round trip; one reply per call.
   * Each call is admitted by all policies of the rule or changes none of them. A call that cannot be decided, because of what
   * is kept under its key, gets a reply with an error; the method rejects only when nothing
   * was decided.
   */
  decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]>
  /**
   * Takes an admission back as if it had never happened, in the policies where that is safe.
   *
   * @returns false when nothing was given back: it is too long ago, or (`smooth`) other calls were admitted since.
   */
  refund(rule: LimitRule, admission: Admission): Promise<boolean>
  /** The same for up to 256 admissions of one key, in one step: thousands of calls may give up at once. One answer per admission. */
  refundAll?(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]>
  /** Prolongs the permits of `concurrency` policies to a full term from now; one answer per admission, false for permits that had ended. */
  renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]>
  /** Forgets everything about a key, blocks included. */
  reset(rule: LimitRule, key: string): Promise<void>
  /**
   * Gives back points without naming their admissions, the latest first, in every policy but `concurrency`; or makes each of those
   * policies count exactly this much now, as far as it can. Returns the most that one policy gave back, or counts.
   */
  adjust?(rule: LimitRule, key: string, how: 'reward' | 'set', points: number): Promise<number>
  /** Makes a key admit nothing for so long, whatever the rule says; 0 ends a block, also one that a refusal began. */
  block?(rule: LimitRule, key: string, us: number): Promise<void>
  /** One listener; the last one set is used. Without one, the provider need not listen to anything. */
  listener?: FreedListener | undefined
  close(): Promise<void>
}
