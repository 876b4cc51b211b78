/** Sessions on Redis. Every step is one script on the server's clock; what each does is said in lua/session-*.lua. */

import type {
  ListedSession,
  MoveReply,
  NamedSession,
  SaveReply,
  SessionCapabilities,
  SessionMove,
  SessionPlace,
  SessionProvider,
  SessionRead,
  SessionReply,
  SessionRule,
  SessionSave,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf, textOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { scanPattern } from '../entries/key-scan.ts'
import { sessionAt, sessionKeys, sessionPattern } from '../key-layout.ts'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { readMoved, readSaved, readSession } from './session-replies.ts'

/**
 * Creates a session provider on a Redis of its own, apart from the cache's: for a server that neither drops keys for room nor loses
 * them at a restart. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', sessions: redisSessions({ url: process.env.SESSIONS_URL }) })
 */
export function redisSessions(options: RedisStoreOptions): SessionProvider {
  return sessionsOf(resolveRedisStoreOptions(options))
}

/** The same of options that are resolved. */
export function sessionsOf(options: ResolvedRedisStoreOptions): RedisSessions {
  return new RedisSessions({ backend: new Backend(options), options, ownsBackend: true })
}

export class RedisSessions extends BackedProvider implements SessionProvider {
  readonly capabilities: SessionCapabilities = { shared: true }

  constructor(parts: BackedParts) {
    super(parts, 'sessions')
  }

  async read(
    rule: SessionRule,
    place: SessionPlace,
    { idleMs, wantsBytes }: SessionRead,
  ): Promise<SessionReply> {
    const args = [Math.ceil(idleMs), rule.touchEveryMs, wantsBytes ? 1 : 0]
    return readSession(await this.#runAt('sessionRead', rule, place, args))
  }

  async save(rule: SessionRule, place: SessionPlace, save: SessionSave): Promise<SaveReply> {
    const { mode, idleMs, expected, ofUser, absoluteEnd, bytes } = save
    const reply = await this.#runAt('sessionSave', rule, place, [
      mode,
      Math.ceil(idleMs),
      expected,
      ofUser ? 1 : 0,
      rule.maxPerUser,
      absoluteEnd,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    ])
    return readSaved(reply)
  }

  async end(rule: SessionRule, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply> {
    return readSession(await this.#runAt('sessionEnd', rule, place, [wantsBytes ? 1 : 0]))
  }

  async move(rule: SessionRule, place: SessionPlace, to: SessionMove): Promise<MoveReply> {
    const args = [to.tag, to.until, to.expected]
    return readMoved(await this.#runAt('sessionMove', rule, place, args))
  }

  async endAll(
    rule: SessionRule,
    tag: string,
    except: string | undefined,
  ): Promise<readonly string[]> {
    const { list } = sessionKeys(this.namespace, rule.sessions, { tag, name: '' })
    const args = [this.now, except ?? '']
    const names = await this.run({ script: 'sessionEndAll', keys: [list], args })
    return names.map(textOf)
  }

  async list(rule: SessionRule, tag: string): Promise<readonly ListedSession[]> {
    const { list } = sessionKeys(this.namespace, rule.sessions, { tag, name: '' })
    const reply = await this.run({ script: 'sessionList', keys: [list], args: [this.now] })
    const listed: ListedSession[] = []
    for (let i = 0; i < reply.length; i += 2)
      listed.push({ name: textOf(reply[i]), endsAt: numberOf(reply[i + 1]) })
    return listed
  }

  async *scan({ sessions }: SessionRule): AsyncGenerator<readonly NamedSession[], void, undefined> {
    const client = await this.backend.connected('scan')
    const namespace = this.namespace
    for await (const keys of scanPattern(client, sessionPattern(namespace, sessions)))
      yield keys.flatMap((key) => sessionAt(namespace, sessions, key) ?? [])
  }

  #runAt(
    script: ScriptCall['script'],
    { sessions, absoluteMs, lateMs }: SessionRule,
    place: SessionPlace,
    args: ScriptCall['args'],
  ): Promise<readonly unknown[]> {
    const { session, list } = sessionKeys(this.namespace, sessions, place)
    const common = [this.now, place.madeAt, absoluteMs, lateMs]
    return this.run({ script, keys: [session, list], args: [...common, ...args] })
  }
}
