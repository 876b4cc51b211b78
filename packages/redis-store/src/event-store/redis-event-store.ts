/** Event stores on Redis. Every step is one script on the server's clock; lua/ says what each does. */

import { createHash } from 'node:crypto'
import { StoreKeyError } from '@larder/core'
import type {
  EventAppend,
  EventAppendReply,
  EventLogPage,
  EventLogRange,
  EventPlace,
  EventRange,
  EventStoreCapabilities,
  EventStoreProvider,
  KeptEvent,
  ProjectionClaim,
  ProjectionSave,
  ProjectionSaved,
  ProjectionTurn,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { DurableScripts, type OnDisk } from '../commands/durable-scripts.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { keepingTroubles } from '../connection/keeping-check.ts'
import { keyErrorOf } from '../connection/key-error.ts'
import { eventKeys, eventPartitionsKey, type KeysOfEvents } from '../key-layout.ts'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import {
  readAppended,
  readEvents,
  readFetched,
  readPointers,
  readSaved,
  readTurn,
} from './event-replies.ts'

const ID_LENGTH = 22
const DISK_WAIT_MS = 10_000

/**
 * Creates a provider of event stores on a Redis of its own, apart from the cache's: for a server that writes an append-only file and drops
 * nothing for room. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', eventStore: redisEventStore({ url: process.env.EVENTS_URL }) })
 */
export function redisEventStore(options: RedisStoreOptions): EventStoreProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisEventStore({ backend, options: resolved, ownsBackend: true })
}

export class RedisEventStore extends BackedProvider implements EventStoreProvider {
  readonly capabilities: EventStoreCapabilities = { shared: true }
  readonly #options: ResolvedRedisStoreOptions
  #durable: DurableScripts | undefined
  #isChecked = false

  constructor(parts: BackedParts) {
    super(parts, 'eventStore')
    this.#options = parts.options
  }

  async partitions(store: string, wanted: number): Promise<number> {
    const keys = [eventPartitionsKey(this.namespace, store)]
    const [kept] = await this.run({ script: 'eventPartitions', keys, args: [wanted] })
    void this.#check()
    return numberOf(kept)
  }

  async append(place: EventPlace, append: EventAppend): Promise<EventAppendReply> {
    const { stream, expected, events, id, idMs, mark, isDurable } = append
    const keys = this.#keysOf(place)
    const done = id === undefined ? [] : [keys.done(digestOf([stream, id]))]
    const call: ScriptCall = {
      script: 'eventAppend',
      keys: [keys.stream(stream), keys.log, ...done],
      args: [
        this.now,
        stream,
        expected,
        idMs,
        mark,
        ...events.flatMap(({ schema, bytes }) => [schema, bufferOf(bytes)]),
      ],
    }
    if (!isDurable) return readAppended(await this.run(call))
    return readAppended(await this.#runDurable(call))
  }

  async read(place: EventPlace, stream: string, range: EventRange): Promise<readonly KeptEvent[]> {
    const { from, to, isBackwards, count, bytes } = range
    const keys = [this.#keysOf(place).stream(stream)]
    const args = [from, to, isBackwards ? 1 : 0, count, bytes]
    return readEvents(await this.run({ script: 'eventRead', keys, args }), stream)
  }

  /** Two round trips: which streams the events are of is known after the first one only. */
  async readLog(place: EventPlace, range: EventLogRange): Promise<EventLogPage> {
    const { after, mark, count, bytes } = range
    const keys = this.#keysOf(place)
    const log: ScriptCall = { script: 'eventLog', keys: [keys.log], args: [after, mark, count] }
    const [end, continued, ...rest] = await this.run(log)
    const pointers = readPointers(rest)
    const last = numberOf(end)
    const isContinued = continued === 1
    if (pointers.length === 0) return { events: [], until: after, mark, isContinued, last }
    const reply = await this.run({
      script: 'eventFetch',
      keys: pointers.map(({ stream }) => keys.stream(stream)),
      args: [bytes, ...pointers.map(({ version }) => version)],
    })
    const { events, looked } = readFetched(reply, pointers)
    const seen = pointers[looked - 1] ?? { position: after, mark }
    return { events, until: seen.position, mark: seen.mark, isContinued, last }
  }

  async take(place: EventPlace, claim: ProjectionClaim): Promise<ProjectionTurn> {
    const { projection, owner, leaseMs } = claim
    const { projection: keyOf, log } = this.#keysOf(place)
    const keys = [keyOf(projection), log]
    const args = [this.now, owner, leaseMs]
    return readTurn(await this.run({ script: 'eventTake', keys, args }))
  }

  async save(place: EventPlace, save: ProjectionSave): Promise<ProjectionSaved> {
    const { projection, owner, fence, position, mark, leaseMs, isLast } = save
    const { projection: keyOf, log } = this.#keysOf(place)
    const keys = [keyOf(projection), log]
    const args = [this.now, owner, fence, position, mark, isLast ? 0 : leaseMs]
    return readSaved(await this.run({ script: 'eventSave', keys, args }))
  }

  override async close(): Promise<void> {
    await Promise.all([super.close(), this.#durable?.close()])
  }

  #keysOf({ store, partition }: EventPlace): KeysOfEvents {
    return eventKeys(this.namespace, store, partition)
  }

  async #runDurable(call: ScriptCall): Promise<readonly unknown[]> {
    this.#durable ??= new DurableScripts({
      options: this.#options,
      namespace: this.namespace,
      use: 'eventStore',
      done: 'Events were appended',
    })
    try {
      const { reply, onDisk } = await this.#durable.run(call, DISK_WAIT_MS)
      assertOnDisk(onDisk)
      return reply
    } catch (error) {
      throw keyErrorOf(`eventStore.${call.script}`, error)
    }
  }

  /** Once, in the background: nothing waits for it, and nothing fails by it. */
  async #check(): Promise<void> {
    const { backend } = this
    if (this.#isChecked || backend.client === undefined) return
    this.#isChecked = true
    const whose = { what: 'an event store', option: 'eventStore' }
    for (const trouble of await keepingTroubles(backend.client, whose)) backend.onTrouble?.(trouble)
  }
}

/** @throws StoreKeyError where the server works, and this demand cannot be met: other calls must not be kept from it */
function assertOnDisk(onDisk: OnDisk): void {
  if (onDisk.kind === 'yes') return
  if (onDisk.kind === 'unknown') throw onDisk.error
  const late = new Error('The disk of the server did not have it in time')
  throw new StoreKeyError('eventStore.durable', onDisk.kind === 'setup' ? onDisk.error : late)
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** An id belongs to its stream. */
function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, ID_LENGTH)
}
