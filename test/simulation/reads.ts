/** Reads of every kind, each judged when its result is there. */

import type { History } from './history.ts'
import { type JudgedRead, keyTarget } from './ledger.ts'
import { argumentTags, type CachePlan } from './plan.ts'
import { Queries } from './queries.ts'
import type { NodeCache, SimNode } from './sim-node.ts'
import { type Origin, resultTag, SourceError, type Value } from './source.ts'
import type { World } from './world.ts'

interface StartedRead {
  readonly node: SimNode
  readonly cache: CachePlan
  readonly key: string
  readonly startedAt: number
  readonly startedTime: number
  /** False for one of several: they fail together, with the error of any of them. */
  readonly isSingle: boolean
}

const NORMAL = 'normal'

export class Reads {
  readonly #world: World
  readonly #queries: Queries

  constructor(world: World) {
    this.#world = world
    this.#queries = new Queries(world)
  }

  /** One key, as a decorated method reads it: the calm path first. */
  async one(node: SimNode, at: NodeCache, key: string, mode: 'normal' | 'refresh'): Promise<void> {
    const verb = mode === NORMAL ? 'reads' : 'refreshes'
    const read = { ...this.#begin(node, at.plan, key, verb), isSingle: true }
    const call = { mode, tags: argumentTags(key), tagsOf }
    const hit = mode === NORMAL ? at.method.hit(key) : undefined
    const begun: Origin[] = []
    const why = {
      isRefresh: mode !== NORMAL,
      onBegun: (origins: readonly Origin[]) => void begun.push(...origins),
    }
    const load = async (): Promise<unknown> =>
      (await this.#queries.load(node, at.plan, [key], why))[0]
    const isAnswered = await this.#finish(read, hit ?? at.method.getOrLoad(key, { load }, call))
    for (const origin of begun) origin.returnedAt = this.#history.moment
    if (mode !== NORMAL && isAnswered) this.#acknowledgeRefresh(read)
  }

  /** A caller that refreshed says that what was there before is old. */
  #acknowledgeRefresh({ node, key, startedAt, startedTime }: StartedRead): void {
    const { ledger, clock, setBackMs, settlesUntil } = this.#world
    // In a settle window a refresh tells nobody, and the store takes the window to last by as much longer as its clock was set back.
    const settled = (settlesUntil.get(key) ?? Number.NEGATIVE_INFINITY) + setBackMs
    if (setBackMs > 0 && startedTime <= settled) return
    ledger.acknowledge({
      node: node.index,
      target: keyTarget(key),
      calledAt: startedAt,
      ackedAt: this.#history.moment,
      ackedTime: clock.now(),
      isSoft: false,
      isOfLoads: true,
    })
  }

  /** What is there of several keys, without loading. */
  async peekMany(node: SimNode, at: NodeCache, keys: readonly string[]): Promise<void> {
    const reads = keys.map((key) => this.#begin(node, at.plan, key, 'looks for'))
    const found = at.cache.getMany(keys)
    await Promise.all(reads.map((read, i) => this.#finish(read, elementOf(found, i))))
  }

  /** Several keys, one load for those missing. */
  async each(node: SimNode, at: NodeCache, keys: readonly string[]): Promise<void> {
    const reads = keys.map((key) => this.#begin(node, at.plan, key, 'reads in a batch'))
    const found = at.method.getManyOrLoad(
      keys,
      (missing) => {
        const missingKeys = missing.map((i) => keys[i] ?? '')
        return this.#queries.load(node, at.plan, missingKeys)
      },
      keys.map((key) => ({ mode: NORMAL, tags: argumentTags(key), tagsOf })),
    )
    await Promise.all(reads.map((read, i) => this.#finish(read, elementOf(found, i))))
  }

  get #history(): History {
    return this.#world.history
  }

  #begin(node: SimNode, cache: CachePlan, key: string, verb: string): StartedRead {
    const fullKey = `${cache.name}:${key}`
    const startedAt = this.#history.note(node.name, `${verb} ${fullKey}`)
    const startedTime = this.#world.clock.now()
    return { node, cache, key: fullKey, startedAt, startedTime, isSingle: false }
  }

  /** Returns whether there was an answer. */
  async #finish(read: StartedRead, reading: Promise<unknown>): Promise<boolean> {
    const { node, key, startedAt } = read
    const what = `${node.name} read ${key} (#${startedAt})`
    try {
      const result = await reading
      this.#history.note(node.name, `has ${key} (#${startedAt}): ${textOf(result)}`)
      this.#judgeDuration(read, what)
      this.#judgeResult(read, what, result)
      return true
    } catch (error) {
      this.#history.note(node.name, `fails to read ${key} (#${startedAt}): ${String(error)}`)
      this.#judgeError(read, what, error)
      return false
    }
  }

  #judgeDuration({ startedTime }: StartedRead, what: string): void {
    const { clock, plan } = this.#world
    const tookMs = clock.now() - startedTime
    if (tookMs > plan.slowestReadMs)
      this.#world.fail(`${what} after ${tookMs} ms, waiting for nobody`)
  }

  #judgeResult(read: StartedRead, what: string, result: unknown): void {
    const { source } = this.#world
    if (result === undefined) return
    if (result === null) {
      const origin = source.lastNegative(
        read.key,
        read.cache.usesRemote ? undefined : read.node.index,
      )
      if (origin === undefined) this.#world.fail(`${what} as absent, which it never was`)
      else this.#judge(read, `${what} as absent`, origin)
      return
    }
    const { key, origin } = result as Value
    if (key !== read.key) this.#world.fail(`${what} and got ${key}`)
    else this.#judge(read, `${what} as ${textOf(result)}`, source.origin(origin))
  }

  /** Only the source's own errors may reach a caller (I5); a remembered one is a result like any other. */
  #judgeError(read: StartedRead, what: string, error: unknown): void {
    if (!(error instanceof SourceError)) {
      this.#world.fail(`I5: ${what} and got ${String(error)}`)
      return
    }
    const origins = error.origins.map((id) => this.#world.source.origin(id))
    const own = origins.find(({ key }) => key === read.key)
    if (own === undefined && read.isSingle) this.#world.fail(`${what} and got the error of another`)
    if (own !== undefined && read.isSingle)
      this.#judge(read, `${what} as error of result ${own.id}`, own)
  }

  #judge(read: StartedRead, what: string, origin: Origin): void {
    const { ledger, loads, plan, clock } = this.#world
    const { node, cache, key, startedAt, startedTime } = read
    // What waits is said again and again, so that whoever did not hear at first hears it then.
    const heardAfterMs = plan.hearsOfWaiting
      ? cache.maxStalenessMs + plan.latencyMs
      : Number.POSITIVE_INFINITY
    const failedAt = loads.failedAt(node.index, key)
    const backedOffMs = startedTime - failedAt - node.clock.sleptSince(failedAt)
    const judged = {
      node: node.index,
      what,
      startedAt,
      startedTime,
      endedTime: clock.now(),
      sleptSince: (time: number) => node.clock.sleptSince(time),
      graceMs: plan.isCalm ? plan.latencyMs + 1 : cache.maxStalenessMs,
      wordMs: startedTime - node.hearsSince < heardAfterMs ? undefined : heardAfterMs,
      keepsForErrors: cache.policy.staleIfError !== 0,
      mayFallBack: backedOffMs <= cache.errorBackoffMs,
    }
    if (this.#world.isAtRest) this.#judgeAtRest(judged, origin)
    else this.#world.fail(ledger.judge(judged, origin))
  }

  /** At rest, every node reads what was last written, as far as its writer lived to tell. */
  #judgeAtRest(read: JudgedRead, origin: Origin): void {
    const { ledger, writes } = this.#world
    this.#world.fail(ledger.judgeAtRest(read, origin))
    const required = writes.requiredVersion(origin.key)
    // A remembered error holds no row, and what was softly evicted may still stand in for a load that failed just now.
    const holdsOldRow = origin.version >= 0 && origin.version < required
    if (!holdsOldRow || read.mayFallBack || ledger.isForgotten(origin)) return
    this.#world.fail(`at rest: ${read.what}, although v${required} was written and made known`)
  }
}

function tagsOf(value: unknown): readonly string[] {
  return value === null ? [] : [resultTag((value as Value).version)]
}

async function elementOf(found: Promise<readonly unknown[]>, index: number): Promise<unknown> {
  return (await found)[index]
}

function textOf(result: unknown): string {
  if (result === undefined) return 'nothing cached'
  if (result === null) return 'absent'
  const { version, origin } = result as Value
  return `v${version} (result ${origin})`
}
