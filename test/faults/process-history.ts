/**
 * A history of three nodes, each in a process of its own, under traffic on shared keys.
 *
 * Whatever is done to them and to their servers: nothing stale on the node that evicted, nothing old at rest, no error, no
 * call that hangs, and elsewhere nothing older than the protocol says. The figures are printed.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { TRAFFIC_KEYS } from '../support/history/eviction-traffic.ts'
import {
  judgeLedgers,
  type LedgerVerdict,
  type NodeAccount,
  newestStored,
  storyOfFirstOwn,
} from '../support/history/ledger-verdict.ts'
import { readLedger } from '../support/history/node-ledger.ts'
import { machineNow } from '../support/machine-clock.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import { type Random, testSeed, withSeed } from '../support/seed.ts'
import type { HistoryWorkerInit, Servers, worker } from './history.worker.ts'

const NODES = 3
const MAX_STALENESS_MS = 1_000
/** The shortest lease there is. */
const LEASE_MS = 1_000
/** Well past the lease, and past the bound on what a node may go on trusting. */
const PAUSE_MS = 3_500
/** For a machine that is busy with other things. */
const ROOM_MS = 1_500
const RESTS_WITHIN_MS = 2 * MAX_STALENESS_MS + ROOM_MS
/** Another's lease, then the store's deadline a few times; and room. */
const SLOWEST_MS = LEASE_MS + 2_500 + ROOM_MS
const PROGRESS_READS = 100

/** How often each history is run. */
const ROUNDS = Number(process.env['LARDER_FAULT_ROUNDS'] ?? 1)
/** A history takes a few seconds; the rest is the waiting of `eventually` for what does not come. */
const HISTORY_TIMEOUT_MS = 120_000

type Node = WorkerProcess<typeof worker>

interface Member {
  readonly node: Node
  readonly ledgerPath: string
  readonly pauses: [from: number, to: number][]
  isKilled: boolean
}

/** Declares the tests of one history, each with a seed of its own. */
export function testHistory(what: string, run: (random: Random) => Promise<void>): void {
  for (let round = 1; round <= ROUNDS; round++) {
    it(`${what} (round ${round})`, () => withSeed(run, testSeed()), HISTORY_TIMEOUT_MS)
  }
}

/** Runs `fault`; how long it took, ms. */
export async function timed(fault: () => Promise<unknown>): Promise<number> {
  const from = machineNow()
  await fault()
  return machineNow() - from
}

/** What the judge has to know of what was done. */
export interface Expectation {
  /**
   * How long servers were away, or named two masters: what a failover takes back is there again so much later, until the
   * node that evicted it asserts it anew. Default 0.
   */
  readonly outageMs?: number
  /**
   * Who shares a load of an entry's life: all nodes (default); nobody, where nodes cannot use the store and load for
   * themselves; 'uncounted' where servers drop entries, and so end lives of which nobody knows.
   */
  readonly loads?: 'shared' | 'own' | 'uncounted'
}

/** Starts three nodes under traffic. Call it in a test: what it started ends with the test. */
export async function startHistory(servers: Servers, seed: number): Promise<ProcessHistory> {
  const dir = mkdtempSync(join(tmpdir(), 'larder-history-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const namespace = freshNamespace()
  const members = await Promise.all(
    Array.from({ length: NODES }, async (_, index): Promise<Member> => {
      const ledgerPath = join(dir, `${index}.ledger`)
      const init: HistoryWorkerInit = {
        servers,
        namespace,
        sourceDir: dir,
        ledgerPath,
        seed: seed + index,
        maxStalenessMs: MAX_STALENESS_MS,
        leaseWaitMs: LEASE_MS,
      }
      const url = new URL('./history.worker.ts', import.meta.url)
      const node = await startWorker<typeof worker>(url, init)
      onTestFinished(() => node.kill())
      return { node, ledgerPath, pauses: [], isKilled: false }
    }),
  )
  await Promise.all(members.map(({ node }) => node.call('begin')))
  const history = new ProcessHistory(namespace, seed, members)
  await history.goOn()
  return history
}

export class ProcessHistory {
  readonly namespace: string
  readonly #seed: number
  readonly #members: readonly Member[]
  readonly #startedAt = machineNow()

  /** Use {@link startHistory}. */
  constructor(namespace: string, seed: number, members: readonly Member[]) {
    this.namespace = namespace
    this.#seed = seed
    this.#members = members
  }

  /** Waits until every living node has read on, so and so often. */
  async goOn(reads = PROGRESS_READS): Promise<void> {
    await Promise.all(
      this.#living().map(async ({ node }) => {
        const enough = (await node.call('reads')) + reads
        await eventually('a node reads on', async () => (await node.call('reads')) > enough, 20_000)
      }),
    )
  }

  /** Stops a node in the middle of loads, for longer than their leases last, and lets it continue. */
  async stopWhileItLoads(index: number): Promise<void> {
    const member = this.#member(index)
    await member.node.call('beginLongLoads', PAUSE_MS / 5)
    const from = machineNow()
    member.node.pause()
    await delay(PAUSE_MS)
    member.node.resume()
    // Until it says something: what it does not do before, it could not do.
    await member.node.call('endLongLoads')
    member.pauses.push([from, machineNow()])
  }

  /** Kills a node in the middle of loads whose leases it holds. */
  async killWhileItLoads(index: number): Promise<void> {
    const member = this.#member(index)
    await member.node.call('beginLongLoads', 60_000)
    member.isKilled = true
    await member.node.kill()
  }

  /** Ends the traffic, waits until nothing old is left, and judges. */
  async judge(name: string, { outageMs = 0, loads = 'shared' }: Expectation = {}): Promise<void> {
    await Promise.all(this.#living().map(({ node }) => node.call('end')))
    const { settledMs, staleAtRest } = await this.#rest()
    const trustedMs = await timed(() => this.#untilTrusted())
    // Once more, now that the store's copies are believed.
    const staleTrusted = await this.#countOld()
    const verdict = judgeLedgers(this.#accounts(), TRAFFIC_KEYS.length)
    const figures = { ...verdict, staleAtRest, staleTrusted, settledMs, trustedMs, outageMs }
    process.stdout.write(`${name} (SEED=${this.#seed}): ${JSON.stringify(figures, rounded)}\n`)
    const { staleOwn, errors, hung } = verdict
    if (staleOwn > 0) process.stdout.write(`${storyOfFirstOwn(this.#accounts()).join('\n')}\n`)
    expect({ staleOwn, staleAtRest, staleTrusted, errors, hung }).toEqual({
      staleOwn: 0,
      staleAtRest: 0,
      staleTrusted: 0,
      errors: 0,
      hung: 0,
    })
    expect(verdict.oldestSinceStoredMs).toBeLessThan(MAX_STALENESS_MS + outageMs + ROOM_MS)
    expect(verdict.slowestMs).toBeLessThan(SLOWEST_MS)
    expect(verdict.loadsPerKey).toBeLessThan(this.#mostLoads(verdict, loads))
    await Promise.all(this.#living().map(({ node }) => node.stop()))
  }

  /** Reads everything on every node until nothing is older than what the store was told, or should be; how much is, then. */
  async #rest(): Promise<{ readonly settledMs: number; readonly staleAtRest: number }> {
    const from = machineNow()
    for (;;) {
      const settledMs = machineNow() - from
      const staleAtRest = await this.#countOld()
      if (staleAtRest === 0 || settledMs > RESTS_WITHIN_MS) return { settledMs, staleAtRest }
      await delay(20)
    }
  }

  /** Reads everything on every node; how much is older than what the store was told. */
  async #countOld(): Promise<number> {
    const wanted = newestStored(this.#accounts())
    const found = await Promise.all(this.#living().map(({ node }) => node.call('readAll')))
    return found
      .flatMap((versions) => [...versions])
      .filter(([key, version]) => version < (wanted.get(key) ?? 0)).length
  }

  /** Waits until every node is connected, has told the store everything, and knows what it missed. */
  async #untilTrusted(): Promise<void> {
    await eventually(
      'every node trusts the store',
      async () => {
        const all = await Promise.all(this.#living().map(({ node }) => node.call('trustsTheStore')))
        return all.every((trusts) => trusts)
      },
      20_000,
    )
  }

  /** And where a node cannot use the store for a while, one a node every `maxStaleness` more. */
  #mostLoads({ livesPerKey }: LedgerVerdict, loads: Expectation['loads']): number {
    if (loads === 'uncounted') return Number.POSITIVE_INFINITY
    const lives = loads === 'own' ? NODES * livesPerKey : livesPerKey
    return lives + (NODES * (machineNow() - this.#startedAt)) / MAX_STALENESS_MS + NODES
  }

  #living(): readonly Member[] {
    return this.#members.filter(({ isKilled }) => !isKilled)
  }

  #accounts(): readonly NodeAccount[] {
    return this.#members.map(({ ledgerPath, pauses, isKilled }) => ({
      events: readLedger(ledgerPath),
      pauses,
      isKilled,
    }))
  }

  #member(index: number): Member {
    const member = this.#members[index]
    if (member === undefined) throw new RangeError(`There is no node ${index}`)
    return member
  }
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
