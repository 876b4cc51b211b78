/**
 * What happened on a node in a process of its own, written down so that it outlives the process.
 *
 * Each event is in the file before the next one happens: what a process that is killed had said is known. Instants are
 * those of the clock that all processes of the machine share.
 */

import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { machineNow, machineOrigin } from '../machine-clock.ts'
import type { TrafficRecord } from './eviction-traffic.ts'
import type { SharedSource } from './shared-source.ts'

export type LedgerEvent =
  /** A read that began at `startedAt` returned `version`. */
  | readonly [kind: 'read', key: string, version: number, startedAt: number]
  /** The source was asked. */
  | readonly [kind: 'load', key: string, at: number]
  /** A write begins to be made known, in the way that is named, which ends the life of so many entries. */
  | readonly [kind: 'change', key: string, way: string, entries: number, at: number]
  /** An eviction, of whichever kind, that followed the write of `version` was acknowledged. */
  | readonly [kind: 'evicted', key: string, version: number, at: number]
  /** So many evictions wait for the store. */
  | readonly [kind: 'queue', waiting: number, at: number]
  /** A call took its time. Quick ones are left out. */
  | readonly [kind: 'took', startedAt: number, endedAt: number]
  /** The process did not get on: the machine was busy with others, or stopped it. */
  | readonly [kind: 'stood', from: number, to: number]
  | readonly [kind: 'failed', at: number]
  | readonly [kind: 'hung', at: number]

/** Quicker calls are no news. */
const NEWS_MS = 5
/** How often it is noticed that the process gets on, and how late that is on any machine, ms. */
const BEAT_MS = 20
const USUALLY_LATE_MS = 20

/** Takes down what traffic and cache of one node say. */
export class NodeLedger implements TrafficRecord {
  readonly #file: number
  readonly #source: SharedSource
  readonly #origin = machineOrigin()
  readonly #beat: NodeJS.Timeout
  #beatAt = machineNow()
  #reads = 0

  constructor(path: string, source: SharedSource) {
    this.#file = openSync(path, 'a')
    this.#source = source
    this.#beat = setInterval(() => this.#noteBeat(), BEAT_MS).unref()
  }

  /** Reads so far. */
  get reads(): number {
    return this.#reads
  }

  write(key: string): number {
    return this.#source.write(key)
  }

  load(key: string): number {
    this.#note(['load', key, machineNow()])
    return this.#source.versionOf(key)
  }

  change(key: string, way: string, entries: number): void {
    this.#note(['change', key, way, entries, machineNow()])
  }

  evicted(key: string, version: number): void {
    this.#note(['evicted', key, version, machineNow()])
  }

  queue(waiting: number): void {
    this.#note(['queue', waiting, machineNow()])
  }

  read(key: string, version: number, _node: number, startedAt: number): void {
    this.#reads += 1
    this.#note(['read', key, version, this.#origin + startedAt])
  }

  took(startedAt: number): void {
    const endedAt = machineNow()
    const from = this.#origin + startedAt
    if (endedAt - from > NEWS_MS) this.#note(['took', from, endedAt])
  }

  failed(startedAt: number): void {
    this.took(startedAt)
    this.#note(['failed', machineNow()])
  }

  hung(startedAt: number): void {
    this.took(startedAt)
    this.#note(['hung', machineNow()])
  }

  /** What is read at rest is compared by who asks for it. */
  readAtRest(): void {}

  #noteBeat(): void {
    const now = machineNow()
    const dueAt = this.#beatAt + BEAT_MS
    if (now - dueAt > USUALLY_LATE_MS) this.#note(['stood', dueAt, now])
    this.#beatAt = now
  }

  close(): void {
    clearInterval(this.#beat)
    closeSync(this.#file)
  }

  #note(event: LedgerEvent): void {
    writeSync(this.#file, `${JSON.stringify(event)}\n`)
  }
}

/** Reads what a node has written down so far. */
export function readLedger(path: string): readonly LedgerEvent[] {
  if (!existsSync(path)) return []
  // The last line is empty, or was cut short by a kill.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as LedgerEvent)
}
