/**
 * Carries requests, replies and messages between the nodes and the server, when the scheduler says so.
 *
 * A probe is subscribed to the server and hears of every change in the very step that makes it, whatever happens to the
 * messages on their way to the nodes. That is how the ledger learns what the store really did, and when.
 */

import type { BusListener, BusMessage } from '@larder/core/store'
import type { Deliver } from '@larder/core/testing'
import { tagBehind } from '../../packages/core/src/coherence/soft-tags.ts'
import type { Random } from '../support/seed.ts'
import type { History } from './history.ts'
import type { RequestLabel } from './labelled-store.ts'
import { keyTarget, type Ledger, tagTarget } from './ledger.ts'
import type { Plan } from './plan.ts'
import type { LineName, Scheduler, TaskSpec } from './scheduler.ts'
import type { Origin, Source } from './source.ts'

/** What happens to the messages of one node. */
export interface MessageFaults {
  readonly loseChance: number
  readonly duplicateChance: number
}

/** Something other than a sync. */
export interface Unrest {
  readonly text: string
  readonly time: number
  /** How many there were in all. */
  readonly count: number
}

interface Request {
  readonly node: number
  readonly label: RequestLabel
}

export interface NetworkParts {
  readonly plan: Plan
  readonly random: Random
  readonly scheduler: Scheduler
  readonly history: History
  readonly ledger: Ledger
  readonly source: Source
  readonly now: () => number
  /** Told when the store has carried out an update, before the ledger is. */
  readonly onUpdated: (origin: Origin, at: number) => void
}

/** Changes that waited are announced. */
const ANNOUNCEMENT: RequestLabel = {
  text: 'announce',
  operation: 'announce',
  isSoft: false,
  origins: [],
}

/** The probe attaches first. */
export const PROBE = 0
/** What changes something, whoever waits for the answer. */
const WRITES = ['put', 'swap', 'evict', 'bump-tags', 'fill']
/** How long a late write is on its way at most, ms. */
const LATE_MS = 4_000

export class Network {
  readonly #parts: NetworkParts
  readonly #messageFaults = new Map<number, MessageFaults>()
  readonly #lateWriters = new Set<number>()
  #lateWrites = 0
  #unrest: Unrest | undefined
  /** What is being handed to the network, and what the server is carrying out. */
  #announced: RequestLabel | undefined
  #carriedOut: Request | undefined

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  announce<Reply>(label: RequestLabel, send: () => Reply): Reply {
    this.#announced = label
    try {
      return send()
    } finally {
      this.#announced = undefined
    }
  }

  /** How the server hands over whatever travels. */
  readonly deliver: Deliver = (task, delivery) => {
    const { node } = delivery
    if (node === PROBE) task()
    else if (delivery.kind === 'message') {
      const text = textOf(delivery.message)
      this.#noteUnrest(`${text} to n${node}`)
      this.#sendMessage(node, text, this.#messageFaults.get(node), task)
    } else if (delivery.kind === 'subscription') {
      this.#sendMessage(node, 'subscribed', undefined, task)
    } else if (delivery.kind === 'request') this.#sendRequest(node, task)
    else this.#sendReply(node, task)
  }

  setMessageFaults(node: number, faults: MessageFaults | undefined): void {
    if (faults === undefined) this.#messageFaults.delete(node)
    else this.#messageFaults.set(node, faults)
  }

  /** The last request that was no sync, or message. */
  get unrest(): Unrest | undefined {
    return this.#unrest
  }

  /** From now on, what a node writes travels for long, and is overtaken by what it sends after. */
  setLateWrites(node: number, areLate: boolean): void {
    if (areLate) this.#lateWriters.add(node)
    else this.#lateWriters.delete(node)
  }

  /** What the probe does with what it hears. */
  listener(): BusListener {
    return {
      onMessage: (message) => this.#noteEffect(message),
      onUp: () => undefined,
      onDoubt: () => undefined,
      onDown: () => undefined,
      onGarbage: () => undefined,
    }
  }

  #sendRequest(node: number, task: () => void): void {
    // Only what a store sends by itself has no label.
    const label = this.#announced ?? ANNOUNCEMENT
    const sentAt = this.#parts.history.moment
    if (label.operation === 'put') this.#noteSend(label, sentAt)
    const run = (): void => {
      this.#carriedOut = { node, label }
      if (label.operation === 'fill') this.#noteFill(label, sentAt)
      task()
      this.#carriedOut = undefined
    }
    if (label.operation !== 'sync') this.#noteUnrest(`${label.text} of n${node}`)
    const isLate = this.#lateWriters.has(node) && WRITES.includes(label.operation)
    if (isLate) this.#sendLate(node, label, run)
    else this.#add(requestsOf(node), { run })
  }

  #sendLate(node: number, label: RequestLabel, run: () => void): void {
    const { history, now, random } = this.#parts
    this.#lateWrites += 1
    const line = { ...requestsOf(node), channel: `late request ${this.#lateWrites}` }
    const notBefore = now() + random.int(LATE_MS)
    history.note('fault', `${label.text} of n${node} is late`)
    this.#add(line, { run, notBefore })
  }

  #sendReply(node: number, task: () => void): void {
    const { history } = this.#parts
    const text = this.#carriedOut?.label.text ?? ''
    history.note('store', `answers n${node}: ${text}`)
    this.#add(repliesOf(node), {
      run: () => {
        history.note(`n${node}`, `← ${text}`)
        task()
      },
    })
  }

  #sendMessage(
    node: number,
    text: string,
    faults: MessageFaults | undefined,
    task: () => void,
  ): void {
    const { random, history } = this.#parts
    const spec: TaskSpec = {
      run: () => {
        history.note(`n${node}`, `hears ${text}`)
        task()
      },
    }
    if (faults !== undefined && random.chance(faults.loseChance)) {
      history.note('fault', `n${node} will not hear ${text}`)
      return
    }
    this.#add(messagesOf(node), spec)
    if (faults !== undefined && random.chance(faults.duplicateChance)) {
      this.#add(messagesOf(node), spec)
    }
  }

  #noteUnrest(text: string): void {
    const count = (this.#unrest?.count ?? 0) + 1
    this.#unrest = { text, time: this.#parts.now(), count }
  }

  #add(line: LineName, spec: TaskSpec): void {
    const { scheduler, random, plan, now } = this.#parts
    const from = spec.notBefore ?? now()
    scheduler.add(line, { ...spec, dueBy: from + random.int(plan.latencyMs + 1) })
  }

  #noteEffect(message: BusMessage): void {
    const { history, ledger, now } = this.#parts
    const cause = this.#carriedOut
    if (message.kind === 'wake' || message.kind === 'doubt' || cause === undefined) return
    const { node, label } = cause
    const at = history.note('store', `carries out ${label.text} of n${node}`)
    const time = now()
    const origin = this.#originOf(message, cause)
    if (origin?.kind === 'update') this.#parts.onUpdated(origin, at)
    if (origin !== undefined) Object.assign(origin, { storedAt: at, storedTime: time })
    if (origin?.kind === 'set') {
      origin.isLate = origin.returnedAt !== undefined
      // What its sender gave up replaces nothing that came since.
      if (!origin.isLate) origin.countsFrom = at
    }
    const targets =
      message.kind === 'keys'
        ? message.keys.map((key) => ({ target: keyTarget(key), isSoft: label.isSoft }))
        : message.tags.map((name) => ({
            target: tagTarget(tagBehind(name)),
            isSoft: tagBehind(name) !== name,
          }))
    // A put, also that of a refresh, replaces what was loaded before it began; an eviction removes everything.
    const floor = (origin?.kind === 'update' ? origin.countsFrom : origin?.begunAt) ?? at
    for (const { target, isSoft } of targets) {
      ledger.noteEffect({ target, node, at, time, floor, isSoft })
    }
  }

  /**
   * A `set` is made when it is sent. Its caller still waits then, so an eviction by another node that has ended before has no order
   * with it, though it was called later: it came before, as with a `set` that the store carries out at once. An eviction that is
   * called from here on is later, however late the `set` arrives.
   */
  #noteSend({ origins }: RequestLabel, sentAt: number): void {
    for (const id of origins) {
      const origin = this.#parts.source.origin(id)
      if (origin.kind === 'set' && origin.returnedAt === undefined) origin.countsFrom = sentAt
    }
  }

  #noteFill({ origins }: RequestLabel, sentAt: number): void {
    const { source, history, now } = this.#parts
    for (const id of origins) {
      const at = history.moment
      Object.assign(source.origin(id), { filled: { sentAt, at }, storedAt: at, storedTime: now() })
    }
  }

  /** Where what is put came from. An absence does not say, so it is the last one that its node loaded. */
  #originOf(message: BusMessage, { node, label }: Request): Origin | undefined {
    const { source } = this.#parts
    if (!['put', 'swap'].includes(label.operation) || message.kind !== 'keys') return undefined
    const [key = ''] = message.keys
    const origins = label.origins.map((id) => source.origin(id))
    return origins.find((origin) => origin.key === key) ?? source.lastNegative(key, node)
  }
}

export function requestsOf(node: number): LineName {
  return { channel: 'requests', node, needsProcess: false }
}

export function repliesOf(node: number): LineName {
  return { channel: 'replies', node, needsProcess: true }
}

export function messagesOf(node: number): LineName {
  return { channel: 'messages', node, needsProcess: true }
}

function textOf(message: BusMessage): string {
  if (message.kind === 'wake') return `wake ${message.key}`
  if (message.kind === 'doubt') {
    return `doubt ${[...message.keys, ...message.tags].join(' ')}`
  }
  const names = message.kind === 'keys' ? message.keys : message.tags
  const to = message.kind === 'keys' ? message.seq : message.version
  return `${message.kind} ${names.join(' ')} (${short(message.previous)} → ${short(to)})`
}

/** Enough digits of a sequence number to tell it from its neighbours. */
function short(number: number): string {
  return String(number % 1_000_000_000)
}
