/** Streams on Redis. Every step is one script, except for the read that waits; what each does is said in lua/stream-*.lua. */

import { createHash } from 'node:crypto'
import type {
  AdditionReply,
  DeadLetterEntry,
  StreamAddition,
  StreamCapabilities,
  StreamGroup,
  StreamProvider,
  StreamReader,
  StreamRule,
  StreamSettlement,
  StreamStatusReply,
  StreamTake,
  StreamTaken,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf, textOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { keepingTroubles } from '../connection/keeping-check.ts'
import { type KeysOfGroup, streamGroupKeys, streamKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { RedisStreamReader } from './stream-reader.ts'
import { readAdded, readLetters, readStatus, readTaken } from './stream-replies.ts'

/** Of a digest: enough that no two ids ever share one. */
const DIGEST_LENGTH = 22

/**
 * Creates a stream provider on a Redis of its own, apart from the cache's: for a server that neither drops keys for room nor loses
 * them at a restart. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', streams: redisStreams({ url: process.env.STREAMS_URL }) })
 */
export function redisStreams(options: RedisStoreOptions): StreamProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisStreams({ backend, options: resolved, ownsBackend: true })
}

export class RedisStreams extends BackedProvider implements StreamProvider {
  readonly capabilities: StreamCapabilities = { shared: true }
  #isChecked = false

  constructor(parts: BackedParts) {
    super(parts, 'streams')
  }

  async add(
    rule: StreamRule,
    messages: readonly StreamAddition[],
  ): Promise<readonly AdditionReply[]> {
    void this.#check()
    const { key, idKey } = streamKeys(this.namespace, rule.stream)
    const keys = [key]
    const args: (string | number | Buffer)[] = [
      rule.rememberMs,
      rule.maxLength,
      Number.isFinite(rule.maxAgeMs) ? rule.maxAgeMs : '',
      rule.trimsUnhandled ? 1 : 0,
    ]
    for (const { id, bytes } of messages) {
      if (id !== undefined) keys.push(idKey(digestOf(id)))
      args.push(id === undefined ? 0 : keys.length, bufferOf(bytes))
    }
    return readAdded(await this.run({ script: 'streamAdd', keys, args }))
  }

  async makeGroup(group: StreamGroup, from: 'start' | 'new'): Promise<boolean> {
    void this.#check()
    const args = [group.group, from === 'new' ? '$' : '0']
    const keys = [this.#keys(group).stream]
    return this.#is({ script: 'streamJoin', keys, args })
  }

  reader(stream: string): StreamReader {
    const { key } = streamKeys(this.namespace, stream)
    return new RedisStreamReader({ backend: this.backend, key })
  }

  async take(group: StreamGroup, take: StreamTake): Promise<StreamTaken | 'absent'> {
    const { consumer, count, idleMs, held, cursor } = take
    const { stream, due } = this.#keys(group)
    const args = [this.now, group.group, consumer, count, Math.ceil(idleMs), cursor, ...held]
    return readTaken(await this.run({ script: 'streamTake', keys: [stream, due], args }))
  }

  async keep(
    group: StreamGroup,
    consumer: string,
    entries: readonly string[],
  ): Promise<readonly string[]> {
    const keys = [this.#keys(group).stream]
    const args = [group.group, consumer, ...entries]
    return (await this.run({ script: 'streamKeep', keys, args })).map(textOf)
  }

  settle(group: StreamGroup, consumer: string, settlement: StreamSettlement): Promise<boolean> {
    const { stream, due, dead, markKey } = this.#keys(group)
    const { entry } = settlement
    switch (settlement.kind) {
      case 'done': {
        const { mark } = settlement
        const keys = [stream, due, ...(mark === undefined ? [] : [markKey(digestOf(mark.id))])]
        return this.#is({
          script: 'streamDone',
          keys,
          args: [group.group, entry, mark?.forMs ?? 0],
        })
      }
      case 'dead': {
        const { error, deliveries, keep, bytes } = settlement
        const args = [group.group, consumer, entry, error, deliveries, keep, bufferOf(bytes)]
        return this.#is({ script: 'streamDead', keys: [stream, due, dead], args })
      }
      default: {
        const isBack = settlement.kind === 'back'
        const afterMs = isBack ? 0 : Math.ceil(settlement.afterMs)
        const args = [this.now, group.group, consumer, entry, afterMs, isBack ? 1 : 0]
        return this.#is({ script: 'streamRetry', keys: [stream, due], args })
      }
    }
  }

  async marked(group: StreamGroup, ids: readonly string[]): Promise<readonly boolean[]> {
    if (ids.length === 0) return []
    const { markKey } = this.#keys(group)
    const keys = ids.map((id) => markKey(digestOf(id)))
    return (await this.run({ script: 'streamMarked', keys, args: [] })).map((item) => item === 1)
  }

  async deadLetters(
    group: StreamGroup,
    after: string | undefined,
    count: number,
  ): Promise<readonly DeadLetterEntry[]> {
    const keys = [this.#keys(group).dead]
    return readLetters(
      await this.run({ script: 'streamLetters', keys, args: [after ?? '', count] }),
    )
  }

  async replay(group: StreamGroup, letter: string): Promise<string | undefined> {
    const { stream, dead } = this.#keys(group)
    const args = [group.group, letter]
    const [entry] = await this.run({ script: 'streamReplay', keys: [stream, dead], args })
    return entry === undefined ? undefined : textOf(entry)
  }

  discard(group: StreamGroup, letter: string): Promise<boolean> {
    return this.#is({ script: 'streamDiscard', keys: [this.#keys(group).dead], args: [letter] })
  }

  async forget(
    group: StreamGroup,
    who: { readonly consumer: string } | { readonly silentMs: number },
  ): Promise<number> {
    const asked = 'consumer' in who ? [who.consumer, 0] : ['', who.silentMs]
    const keys = [this.#keys(group).stream]
    const [count] = await this.run({ script: 'streamForget', keys, args: [group.group, ...asked] })
    return numberOf(count)
  }

  async leave(group: StreamGroup, consumer: string): Promise<void> {
    const { stream, due } = this.#keys(group)
    const args = [this.now, group.group, consumer]
    await this.run({ script: 'streamLeave', keys: [stream, due], args })
  }

  async status(group: StreamGroup): Promise<StreamStatusReply> {
    const { stream, due, dead } = this.#keys(group)
    const keys = [stream, due, dead]
    return readStatus(await this.run({ script: 'streamStatus', keys, args: [group.group] }))
  }

  /** Once, in the background: nothing waits for it, and nothing fails by it. */
  async #check(): Promise<void> {
    const { backend } = this
    if (this.#isChecked || backend.client === undefined) return
    this.#isChecked = true
    const whose = { what: 'streams', option: 'streams' }
    for (const trouble of await keepingTroubles(backend.client, whose)) backend.onTrouble?.(trouble)
  }

  #keys(group: StreamGroup): KeysOfGroup {
    return streamGroupKeys(this.namespace, group)
  }

  async #is(call: ScriptCall): Promise<boolean> {
    return (await this.run(call))[0] === 1
  }
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, DIGEST_LENGTH)
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
