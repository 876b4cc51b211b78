/**
 * Every Redis key and channel this store uses.
 *
 * The hash tag comes first, so that a script's keys share a slot. A namespace holds neither `:` nor braces, so no
 * namespace's keys begin with another's.
 */

import type { CounterRule, UniqueRule } from '@larder/core/store'

/** An entry: `{shop:12}:products:42`. */
export function entryKey(namespace: string, partition: number, key: string): string {
  return `{${namespace}:${partition}}:${key}`
}

/** Head and log of a partition: `{shop:12}`. */
export function logKey(namespace: string, partition: number): string {
  return `{${namespace}:${partition}}`
}

/** The heads of all partitions, once more: `{shop:heads}`. Outside of a Cluster only, because it shares scripts with every log. */
export function headsKey(namespace: string): string {
  return `{${namespace}:heads}`
}

/** Changes that wait to be announced together: `{shop:owed}`. Outside of a Cluster only. */
export function owedKey(namespace: string): string {
  return `{${namespace}:owed}`
}

/** The tag clock: `{shop:tags}`. */
export function tagsKey(namespace: string): string {
  return `{${namespace}:tags}`
}

/** The identity of this store, for its channel: `{shop:store}`. */
export function storeKey(namespace: string): string {
  return `{${namespace}:store}`
}

/** The heartbeats of nodes: when they end at `{shop:nodes}`, what they say beside it. */
export function fleetKeys(namespace: string): {
  readonly ends: string
  readonly heartbeats: string
} {
  const ends = `{${namespace}:nodes}`
  return { ends, heartbeats: `${ends}:heartbeats` }
}

/** Identifies the store that a namespace's messages are about. */
export interface StoreName {
  /** Number of the database. */
  readonly database: number
  /** What is kept at `storeKey`; empty where nothing could be. */
  readonly identity: string
}

/**
 * The channel of invalidations and wake-ups: `shop:bus:0:Jd8s_0aZfQ2c`. Redis delivers messages whatever the database, and a
 * message of another store, with numbers of another history, would read as a loss of this one.
 */
export function channelName(namespace: string, { database, identity }: StoreName): string {
  const store = identity === '' ? `${database}` : `${database}:${identity}`
  return `${namespace}:bus:${store}`
}

/** A lock: its holders and fence at `{shop:lock:order:7}`, those who wait beside it. */
export interface KeysOfLock {
  readonly lock: string
  readonly queue: string
  readonly waiters: string
}

/** Keys of two names never collide: a lock's key ends with a brace, and the other endings come after one. */
export function lockKeys(namespace: string, name: string): KeysOfLock {
  const lock = `{${namespace}:lock:${name}}`
  return { lock, queue: `${lock}:queue`, waiters: `${lock}:waiters` }
}

/** The channel that tells one process that its turn may have come: `shop:lock:` and a random text. */
export function inboxName(namespace: string, node: string): string {
  return `${namespace}:lock:${node}`
}

/** A value guarded by fences, and the last fence that wrote it. */
export function fencedKeys(
  namespace: string,
  key: string,
): readonly [value: string, fence: string] {
  const value = `{${namespace}:fenced:${key}}`
  return [value, `${value}:fence`]
}

/** What is kept of a limiter's key: `{shop:limit:api:ip:1.2.3.4}`, with the endings below. */
export function limitKey(namespace: string, limiter: string, key: string): string {
  return `{${namespace}:limit:${limiter}:${key}}`
}

/** Behind a limit's key: the state of a policy, so that another algorithm never meets it. */
export function policyEnding(policy: string, algorithm: string): string {
  return `:${policy}:${algorithm}`
}

/** Behind a limit's key: until when nothing is admitted. */
export const BLOCK_ENDING = ':block'

/** The channel that tells that permits were given back: `shop:limits:0`, with the number of the database. */
export function limitsChannel(namespace: string, database: number): string {
  return `${namespace}:limits:${database}`
}

/** A session, and the list of its tag: `{shop:session:web:4fQ…}:mc3k1q0.Zx…` and `{shop:session:web:4fQ…}`. */
export interface KeysOfSession {
  readonly session: string
  readonly list: string
}

/** A SCAN pattern for the sessions of this name; their lists do not match. */
export function sessionPattern(namespace: string, sessions: string): string {
  return `{${escapeGlob(namespace)}:session:${escapeGlob(sessions)}:*}:*`
}

/** The tag and the name of a session by its key. */
export function sessionAt(
  namespace: string,
  sessions: string,
  key: string,
): { readonly tag: string; readonly name: string } | undefined {
  const from = `{${namespace}:session:${sessions}:`
  const end = key.indexOf('}:')
  if (!key.startsWith(from) || end < 0) return undefined
  return { tag: key.slice(from.length, end), name: key.slice(end + 2) }
}

/** All sessions of a tag have one hash tag, so what concerns a user is one step on one server. */
export function sessionKeys(
  namespace: string,
  sessions: string,
  { tag, name }: { readonly tag: string; readonly name: string },
): KeysOfSession {
  const list = `{${namespace}:session:${sessions}:${tag}}`
  return { list, session: `${list}:${name}` }
}

/** All keys of a board have one hash tag: `{shop:board:weekly}`. */
function boardKey(namespace: string, board: string): string {
  return `{${namespace}:board:${board}}`
}

/** When the last score of a board was taken. */
export function boardClockKey(namespace: string, board: string): string {
  return `${boardKey(namespace, board)}:clock`
}

/** The keys of a period of a board, by where it begins, and of a merge, which the number of its periods is added to. */
export function boardKeys(
  namespace: string,
  board: string,
  period: string,
): readonly [order: string, ids: string, scores: string] {
  const at = `${boardKey(namespace, board)}:${period}`
  return [`${at}:order`, `${at}:ids`, `${at}:scores`]
}

/**
 * The counts of a key, and what an id has done there: `{shop:counter:hits:day:0:home}`, and the same with `:id:` and a digest, so that no id
 * looks like another key. A day and its first hour begin at one instant, so what is counted by days has other keys.
 */
export function counterKeys(
  namespace: string,
  { counter, per }: Pick<CounterRule, 'counter' | 'per'>,
  key: string,
): { readonly counts: string; readonly done: (digest: string) => string } {
  const counts = `{${namespace}:counter:${counter}:${per}:${key}}`
  return { counts, done: (digest) => `${counts}:id:${digest}` }
}

/** A period of a key's visitors, by where it begins: the visitors while they are few, and a HyperLogLog. All of a key has one hash tag. */
export function uniqueKeys(
  namespace: string,
  { uniques, per }: Pick<UniqueRule, 'uniques' | 'per'>,
  { key, period }: { readonly key: string; readonly period: string },
): readonly [few: string, many: string] {
  const at = `{${namespace}:uniques:${uniques}:${per}:${key}}:${period}`
  return [`${at}:few`, `${at}:many`]
}

/** A stream, and what is remembered of an id of a message: `{shop:stream:emails}`, and the same with `:id:` and a digest. */
export function streamKeys(
  namespace: string,
  stream: string,
): { readonly key: string; readonly idKey: (digest: string) => string } {
  const key = `{${namespace}:stream:${stream}}`
  return { key, idKey: (digest) => `${key}:id:${digest}` }
}

/** What a group has: all with the hash tag of its stream. */
export interface KeysOfGroup {
  readonly stream: string
  /** When entries are due again. */
  readonly due: string
  readonly dead: string
  /** The mark that a message was handled, by the digest of its id. */
  readonly markKey: (digest: string) => string
}

/** The keys of a group: `{shop:stream:emails}:due:mailer`, and so on; a group has no colon in its name. */
export function streamGroupKeys(
  namespace: string,
  { stream, group }: { readonly stream: string; readonly group: string },
): KeysOfGroup {
  const { key } = streamKeys(namespace, stream)
  return {
    stream: key,
    due: `${key}:due:${group}`,
    dead: `${key}:dead:${group}`,
    markKey: (digest) => `${key}:done:${group}:${digest}`,
  }
}

/** How many partitions an event store has: `{shop:events:accounts}`. */
export function eventPartitionsKey(namespace: string, store: string): string {
  return `{${namespace}:events:${store}}`
}

/** The keys of one partition of an event store, all with the hash tag `{shop:events:accounts:3}`. */
export interface KeysOfEvents {
  readonly log: string
  readonly stream: (name: string) => string
  /** What an append with an id has done. */
  readonly done: (digest: string) => string
  readonly projection: (name: string) => string
}

export function eventKeys(namespace: string, store: string, partition: number): KeysOfEvents {
  const at = `{${namespace}:events:${store}:${partition}}`
  return {
    log: `${at}:log`,
    stream: (name) => `${at}:stream:${name}`,
    done: (digest) => `${at}:id:${digest}`,
    projection: (name) => `${at}:projection:${name}`,
  }
}

/** The channel of a topic: `shop:topic:0:orders.paid`, with the number of the database. Segments of a pattern may be `*`. */
export function topicChannel(namespace: string, database: number, topic: string): string {
  return `${namespace}:topic:${database}:${topic}`
}

/** The items of a structure, and their order. Both have one hash tag. */
export function structureKeys(
  namespace: string,
  structure: string,
  key: string,
): readonly [items: string, order: string] {
  const at = `{${namespace}:structure:${structure}:${key}}`
  return [`${at}:items`, `${at}:order`]
}

/** All keys of a write-behind queue: `{shop:writes:progress}`, with the endings below. In the order that scripts are given them. */
export function queueKeys(namespace: string, queue: string): readonly string[] {
  const state = `{${namespace}:writes:${queue}}`
  return [state, ...QUEUE_ENDINGS.map((ending) => `${state}:${ending}`)]
}

const QUEUE_ENDINGS = ['items', 'values', 'due', 'order', 'letters', 'graves', 'latest'] as const

/** What is hashed of a key in a Cluster: `shop:12`. */
export function hashTagOf(key: string): string {
  return key.slice(1, key.indexOf('}'))
}

/** A SCAN pattern that matches at least the entries whose full key begins with `prefix`. */
export function entryPattern(namespace: string, prefix: string): string {
  return `{${escapeGlob(namespace)}:[0-9]*}:${escapeGlob(prefix)}*`
}

/** The full key of an entry's key, or `undefined` for other keys. */
export function fullKeyOf(namespace: string, key: string): string | undefined {
  const end = key.indexOf('}:')
  const isOurs = end > 0 && key.startsWith(`{${namespace}:`)
  return isOurs && /:\d+$/.test(key.slice(0, end)) ? key.slice(end + 2) : undefined
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, (char) => `\\${char}`)
}
