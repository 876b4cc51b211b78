/**
 * What a manager knows of its remote store: whether something is wrong, since when, and what that has cost.
 *
 * There is an event for each failed call and each partition, so an outage of a few seconds makes dozens of them. Here they become one
 * outage: it begins with the first failure and ends when everything works again. The failures are counted, and reported by one event
 * and one line at the beginning, and one of each at the end.
 *
 * What is wrong from the start is reported at once, because a short process would end before a delay is over. Later, a connection
 * that comes back within a moment is not reported.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'
import { isRefusal, isSetupError, reasonOf, rootOf } from '../errors/reason-of.ts'
import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents, OutageKind } from '../events/events.ts'

/** How long something may be wrong before it is reported, ms. */
const BLINK_MS = 250
/** A store that refused counts as well again after so long without a refusal, ms. */
const REFUSALS_END_AFTER_MS = 10_000
/** While a store refuses, other nodes may serve evicted values, so this is reported repeatedly: once per so many ms. */
const SAID_AGAIN_AFTER_MS = 60_000

const MOST_TROUBLES = 16

const WORSE: readonly OutageKind[] = ['limits', 'deaf', 'refusing', 'unreachable', 'setup']

type TroubleKind = 'setup' | 'store' | 'bus' | 'refusals' | 'limits'

interface OpenOutage {
  kind: OutageKind
  reason: string
  readonly since: Date
  readonly startedAt: number
  isSaid: boolean
  failedCalls: number
  skippedCalls: number
}

/** The last error of the store, for a person who looks at the status. */
export interface LastError {
  readonly at: string
  readonly operation: string
  readonly message: string
}

export interface StoreWatchParts {
  readonly events: Emitter
  readonly clock: Clock
  /** Whether the store says that it can be asked. */
  readonly isReady: () => boolean
}

export class StoreWatch {
  readonly #parts: StoreWatchParts
  readonly #troubles = new Map<TroubleKind, string>()
  readonly #timers = new Map<'say' | 'refusals' | 'again', CancelTimer>()
  #outage: OpenOutage | undefined
  #since = new Date()
  #wasWell = false
  #bus: 'up' | 'down' | undefined
  #breaker: CacheEvents['breaker']['state'] = 'closed'
  #lastError: LastError | undefined
  #lastFailure: unknown
  /** The last refusal was that of a replica; no connection to a replica is kept. */
  #isReplica = false
  readonly #told: string[] = []
  #setupError: Error | undefined

  constructor(parts: StoreWatchParts) {
    this.#parts = parts
    const { events } = parts
    events.on('store-error', (event) => this.#failed(event))
    events.on('breaker', ({ state }) => this.#breakerIs(state))
    events.on('bus', (event) => this.#busIs(event))
    events.on('coherence', ({ state }) => {
      if (state === 'verified') this.#wasWell = true
    })
    events.on('recovery-queue', ({ waiting }) => {
      if (waiting === 0) this.#end('refusals')
    })
    events.on('limit-breaker', ({ state, provider }) => {
      if (state === 'open') this.#begin('limits', `the limit store (${provider}) cannot be reached`)
      else if (state === 'closed') this.#end('limits')
    })
  }

  /** The present outage, if there is one. */
  get outage(): { readonly kind: OutageKind; readonly reason: string } | undefined {
    if (this.#outage === undefined) return undefined
    return { kind: this.#kind, reason: this.#outage.reason }
  }

  /** Since when it is as it is. */
  get since(): Date {
    return this.#outage?.since ?? this.#since
  }

  /** `undefined` before it was either. */
  get bus(): 'up' | 'down' | undefined {
    return this.#bus
  }

  get breaker(): CacheEvents['breaker']['state'] {
    return this.#breaker
  }

  get lastError(): LastError | undefined {
    return this.#lastError
  }

  /** Why the store could not be asked the last time, as thrown or reported. */
  get lastFailure(): unknown {
    return this.#lastFailure
  }

  /** What keeps stores and providers from working as they are set up, as they reported it. */
  get troubles(): readonly string[] {
    return this.#told
  }

  /** Problems that do not pass by themselves. */
  get setupError(): Error | undefined {
    return this.#setupError
  }

  /** Notes what a store or provider reports about itself, once. */
  note(error: Error): void {
    const message = reasonOf(error)
    if (this.#told.includes(message)) return
    this.#told.push(message)
    if (this.#told.length > MOST_TROUBLES) this.#told.shift()
    this.#parts.events.emit('trouble', { error })
  }

  /** Reports what was not reported yet, and ends the timers. */
  close(): void {
    this.#say()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #failed({ operation, error, skipped }: CacheEvents['store-error']): void {
    if (this.#outage !== undefined) {
      if (skipped) this.#outage.skippedCalls += 1
      else this.#outage.failedCalls += 1
    }
    if (skipped) return
    this.#lastFailure = rootOf(error)
    const root = rootOf(error)
    const message = reasonOf(error)
    this.#lastError = { at: new Date().toISOString(), operation, message }
    if (isSetupError(root)) {
      this.#setupError = root
      this.#begin('setup', message)
    } else this.#mayBeRefusal(root, message)
  }

  /** A store may refuse writes at the connection already. Then it is there, and not away. */
  #mayBeRefusal(root: unknown, message: string): void {
    if (!isRefusal(root) || root.reason === 'loading') return
    if (!isReplica(root) && !this.#parts.isReady()) return
    this.#isReplica = isReplica(root)
    this.#begin('refusals', message)
    this.#after('refusals', REFUSALS_END_AFTER_MS, () => {
      this.#end('refusals')
      // Other problems may have been hidden behind it.
      for (const reason of this.#troubles.values()) this.#tellIfWorse(reason)
    })
  }

  #breakerIs(state: CacheEvents['breaker']['state']): void {
    this.#breaker = state
    if (state === 'open') this.#begin('store', this.#lastError?.message ?? 'it does not answer')
    else if (state === 'closed') this.#end('store')
  }

  #busIs({ state, error }: CacheEvents['bus']): void {
    this.#bus = state
    if (state === 'up') {
      // It would not be, at a replica.
      if (this.#isReplica) this.#end('refusals')
      this.#end('bus')
      this.#wasWell = true
      return
    }
    const root = rootOf(error)
    this.#lastFailure = root
    if (isSetupError(root)) {
      this.#setupError = root
      this.#begin('setup', reasonOf(error))
      return
    }
    // A refused subscription tells nothing about writes.
    if (isReplica(root)) this.#mayBeRefusal(root, reasonOf(error))
    this.#begin('bus', reasonOf(error))
  }

  #begin(trouble: TroubleKind, reason: string): void {
    this.#troubles.set(trouble, reason)
    const outage = this.#outage
    if (outage === undefined) this.#startOutage(trouble, reason)
    else this.#tellIfWorse(reason)
  }

  /** The problem that was reported may no longer be the worst one. */
  #tellIfWorse(reason: string): void {
    const outage = this.#outage
    if (outage?.isSaid !== true || WORSE.indexOf(this.#kind) <= WORSE.indexOf(outage.kind)) return
    outage.kind = this.#kind
    outage.reason = reason
    this.#cancel('again')
    this.#tell(outage)
  }

  #startOutage(trouble: TroubleKind, reason: string): void {
    this.#outage = {
      kind: this.#kind,
      reason,
      since: new Date(),
      startedAt: this.#parts.clock.now(),
      isSaid: false,
      failedCalls: 0,
      skippedCalls: 0,
    }
    if (this.#wasWell && trouble !== 'setup') this.#after('say', BLINK_MS, () => this.#say())
    else this.#say()
  }

  #end(trouble: TroubleKind): void {
    if (trouble === 'refusals') this.#cancel('refusals')
    if (!this.#troubles.delete(trouble) || this.#troubles.size > 0) return
    const outage = this.#outage
    this.#outage = undefined
    this.#since = new Date()
    this.#cancel('say')
    this.#cancel('again')
    if (outage?.isSaid === true) this.#report('ended', outage)
  }

  /** The outage is named after its worst problem. */
  get #kind(): OutageKind {
    if (this.#troubles.has('setup')) return 'setup'
    // A store that refuses is there, even if the breaker has opened because of it.
    const isRefusing = this.#troubles.has('refusals')
    const isGivenUp = !this.#parts.isReady() && !(isRefusing && this.#isReplica)
    const isDown = (this.#troubles.has('store') && !isRefusing) || isGivenUp
    if (isDown && !(this.#troubles.size === 1 && this.#troubles.has('limits'))) return 'unreachable'
    if (isRefusing) return 'refusing'
    return this.#troubles.has('bus') ? 'deaf' : 'limits'
  }

  #say(): void {
    const outage = this.#outage
    if (outage === undefined || outage.isSaid) return
    outage.isSaid = true
    outage.kind = this.#kind
    this.#tell(outage)
  }

  #tell(outage: OpenOutage): void {
    this.#report('began', outage)
    if (outage.kind === 'refusing') this.#sayAgain(outage)
  }

  #sayAgain(outage: OpenOutage): void {
    this.#after('again', SAID_AGAIN_AFTER_MS, () => {
      this.#report('lasts', outage)
      this.#sayAgain(outage)
    })
  }

  #report(state: CacheEvents['outage']['state'], outage: OpenOutage): void {
    const { kind, reason: message, failedCalls, skippedCalls, startedAt } = outage
    const durationMs = Math.round(this.#parts.clock.now() - startedAt)
    const counts = { durationMs, failedCalls, skippedCalls, wasNeverUp: !this.#wasWell }
    this.#parts.events.emit('outage', { state, kind, message, ...counts })
  }

  #after(name: 'say' | 'refusals' | 'again', ms: number, task: () => void): void {
    this.#cancel(name)
    this.#timers.set(name, this.#parts.clock.schedule(ms, task, 'background'))
  }

  #cancel(name: 'say' | 'refusals' | 'again'): void {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
  }
}

function isReplica(root: unknown): boolean {
  return isRefusal(root) && root.reason === 'readonly'
}
