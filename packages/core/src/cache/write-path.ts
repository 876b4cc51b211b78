/**
 * How a value is changed on purpose: put and evict.
 *
 * Both apply here first, then in the store, whose step bumps the partition's sequence number and publishes, then here
 * again. A put is not fenced by a lease, so it names the sequence number its writer knew before it made the value; the
 * store turns it into an evict when the key was changed since, because then nobody can tell which value is newer.
 */

import type { Stamp } from '../coherence/stamp.ts'
import { cacheTag, EVERYTHING, tagName } from '../coherence/tag-clock.ts'
import type { EntryAddress, EvictRequest } from '../contracts/remote-store.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { Flight } from './flight.ts'
import { type Keepable, keepable, localEntryOf, storedForm } from './keep.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

const PATTERN_CHUNK = 500
/** Writes in any case: only a put whose value was made earlier can be overtaken by what happened since. */
const ANY_CASE = 0
/** Less than any sequence number. */
const BELOW_ALL = 1

/** How far an eviction by pattern has come. */
export interface PatternProgress {
  /** Entries evicted so far. */
  readonly evicted: number
  /** Entries looked at so far. */
  readonly scanned: number
}

export class WritePath {
  readonly #node: CacheNode
  readonly #loads: LoadPath

  constructor(node: CacheNode, loads: LoadPath) {
    this.#node = node
    this.#loads = loads
  }

  /** What a put that is about to make its value stands on. */
  begin(call: ReadCall): Stamp {
    return this.#node.coherence.stamp(call.address.partition)
  }

  /**
   * Writes a value. `begun` is the stamp from before it was made; without it, the value counts as made now, and replaces
   * whatever is there.
   *
   * Trouble with the store never rejects: the old value is evicted here and, through the recovery queue, there.
   */
  async put(call: ReadCall, value: unknown, begun: Stamp | undefined): Promise<void> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError()
    const kind = value === undefined || value === null ? 'negative' : 'value'
    const kept = keepable(call, { kind, value, loadMs: 0 }, node.events)
    if (kept === undefined) {
      // A result that is not to be cached still means that what is cached is old.
      await this.evict(call.cache, [call.fullKey], { soft: false, settleMs: 0 }).catch(
        () => undefined,
      )
      return
    }
    node.noteLife(kept.lifetimes.livesForMs)
    if (node.remote !== undefined && call.policy.remote) await this.#putBoth(call, kept, begun)
    else await this.#putLocally(call, kept, begun)
    if (node.events.has('put')) node.events.emit('put', { cache: call.cache, key: call.fullKey })
  }

  /** Evicts full keys of a cache. @throws what the store failed with, after queueing. */
  async evict(cache: string, fullKeys: readonly string[], request: EvictRequest): Promise<void> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError()
    if (fullKeys.length === 0) return
    this.#reportEvict(cache, fullKeys, [], false)
    for (const key of fullKeys) {
      if (request.settleMs > 0) node.settling.open(key, request.settleMs)
    }
    await node.coherence.evict(
      fullKeys.map((key) => node.addressOf(key)),
      request,
    )
  }

  /** Evicts by the user's tags. @throws what the store failed with, after queueing. */
  async evictTags(tags: readonly string[]): Promise<void> {
    if (this.#node.isClosed) throw new ClosedError()
    if (tags.length === 0) return
    this.#reportEvict(undefined, [], tags, false)
    await this.#node.coherence.evictTags(tags.map(tagName))
  }

  /** Evicts a whole cache, or everything. @throws what the store failed with, after queueing. */
  async clear(cache: string | undefined): Promise<void> {
    if (this.#node.isClosed) throw new ClosedError()
    this.#reportEvict(cache, [], [], true)
    await this.#node.coherence.evictTags([cache === undefined ? EVERYTHING : cacheTag(cache)])
  }

  /** Evicts the keys of a cache that match a pattern, in both tiers. */
  async *evictPattern(
    cache: string,
    pattern: string,
  ): AsyncGenerator<PatternProgress, void, undefined> {
    const matches = matcher(pattern)
    const prefix = `${cache}:`
    const done = { evicted: 0, scanned: 0 }
    for await (const keys of this.#everyKey(`${prefix}${literalBeginning(pattern)}`)) {
      const found = keys.filter(
        (key) => key.startsWith(prefix) && matches(key.slice(prefix.length)),
      )
      done.scanned += keys.length
      done.evicted += found.length
      await this.evict(cache, found, { soft: false, settleMs: 0 }).catch(() => undefined)
      yield { ...done }
    }
  }

  async *#everyKey(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    const { local, remote } = this.#node
    const held = [...(local?.keys() ?? [])].filter((key) => key.startsWith(prefix))
    for (let i = 0; i < held.length; i += PATTERN_CHUNK) yield held.slice(i, i + PATTERN_CHUNK)
    if (remote?.store.capabilities.scans !== true) return
    await this.#node.coherence.start()
    yield* remote.store.scan(prefix)
  }

  async #putBoth(call: ReadCall, kept: Keepable, begun: Stamp | undefined): Promise<void> {
    const node = this.#node
    const { remote, coherence, values } = node
    if (remote === undefined || values === undefined) return
    const encoding = values.encode(kept.value)
    const { address } = call
    // Everything cached or under way for this key is older than the value that is being written.
    node.flights.kill(address.key, Number.POSITIVE_INFINITY)
    node.local?.delete(address.key)
    await coherence.start()
    const stamp = begun ?? coherence.stamp(address.partition)
    const encoded = encoding instanceof Promise ? await encoding : encoding
    const { bytes, commit } = storedForm(call.policy, kept, stamp.known, encoded)
    if (bytes.length > call.policy.maxValueBytes) {
      const { maxValueBytes: maxBytes } = call.policy
      node.events.emit('too-large', {
        cache: call.cache,
        key: address.key,
        bytes: bytes.length,
        maxBytes,
      })
      await this.evict(call.cache, [address.key], { soft: false, settleMs: 0 }).catch(
        () => undefined,
      )
      return
    }
    const flight = new Flight(call, coherence.stamp(address.partition), node.clock.now())
    node.flights.watch(flight)
    try {
      const since = begun === undefined ? ANY_CASE : this.#knownBefore(begun, address)
      const livesMs = kept.lifetimes.livesForMs
      const reply = await remote.run('put', (store) =>
        store.put(address, { bytes, livesMs, since }),
      )
      coherence.noteOwnPut(address, commit, reply)
      const written = { ...flight.stamp, birth: stamp.birth, seq: reply.seq }
      const entry = localEntryOf(node, call.policy, kept, written, flight.at)
      entry.commit = commit
      await coherence.publish({ kind: 'keys', ...reply, keys: [address.key] })
      coherence.applyMutation(reply, [address.key])
      // The put's own message may have come before its reply; only a later change makes the value old.
      flight.isAlive = flight.touchedAt <= reply.seq
      if (reply.stored) this.#loads.keepLocally(flight, entry, bytes.length)
    } catch {
      // Reported by the remote tier. The old value may still be there, and a read may have brought it back meanwhile.
      node.flights.kill(address.key, Number.POSITIVE_INFINITY)
      node.local?.delete(address.key)
      coherence.enqueue([address])
    } finally {
      node.flights.unwatch(flight)
    }
  }

  /**
   * The number that tells the store whether the key was changed since a put began. Where that is not known, because nothing
   * was known of the partition then or because an eviction of the key still waits, one below all: the put evicts.
   */
  #knownBefore(begun: Stamp, { key }: EntryAddress): number {
    return this.#node.coherence.isInDoubt(key) ? BELOW_ALL : Math.max(BELOW_ALL, begun.seq)
  }

  async #putLocally(call: ReadCall, kept: Keepable, begun: Stamp | undefined): Promise<void> {
    const node = this.#node
    const { address } = call
    const stamp = begun ?? node.coherence.stamp(address.partition)
    // Other nodes may hold this key in their own local tiers even though the value does not travel.
    await node.coherence.evict([address], { soft: false, settleMs: 0 }).catch(() => undefined)
    const flight = new Flight(call, node.coherence.stamp(address.partition), node.clock.now())
    const written =
      stamp.birth === flight.stamp.birth ? flight.stamp : { ...flight.stamp, birth: stamp.birth }
    const entry = localEntryOf(node, call.policy, kept, written, flight.at)
    this.#loads.keepLocally(flight, entry)
  }

  #reportEvict(
    cache: string | undefined,
    keys: readonly string[],
    tags: readonly string[],
    all: boolean,
  ): void {
    if (this.#node.events.has('evict')) this.#node.events.emit('evict', { cache, keys, tags, all })
  }
}

/** The pattern up to its first wildcard, so that a scan can skip what cannot match. */
function literalBeginning(pattern: string): string {
  return /^[^*?]*/.exec(pattern)?.[0] ?? ''
}

/** Matches by walking, not by regular expression: a hostile pattern must not be able to take exponential time. */
function matcher(pattern: string): (text: string) => boolean {
  return (text) => {
    let at = 0
    let from = 0
    let star = -1
    let resume = 0
    while (at < text.length) {
      if (pattern[from] === '?' || (pattern[from] === text[at] && pattern[from] !== '*')) {
        at += 1
        from += 1
      } else if (pattern[from] === '*') {
        star = from
        resume = at
        from += 1
      } else if (star >= 0) {
        from = star + 1
        resume += 1
        at = resume
      } else return false
    }
    while (pattern[from] === '*') from += 1
    return from === pattern.length
  }
}
