import { createInterface } from 'node:readline'
import { type EvictRequest, partitionOf, type RemoteStore } from '@larder/core/store'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { counted } from '../output/units.ts'
import { confirmed } from './confirm.ts'
import { fullKeyFrom } from './full-key.ts'
import { assertKnown } from './looked.ts'

/** How many keys are evicted together. Never are more of them in memory. */
const AT_ONCE = 500

interface Outcome {
  readonly keys: number
  /** How many of them were in Redis; nodes may have had others only in process. */
  readonly stored: number
}

export async function runEvict(session: Session): Promise<number> {
  const { options, words } = session
  const prefix = options.text('prefix')
  const isFromInput = words.includes('-')
  if ([prefix !== undefined, words.length > 0].filter(Boolean).length !== 1) {
    throw new CommandFailure('usage', 'Which keys? Give keys, or - to read them, or --prefix.')
  }
  if (isFromInput && words.length > 1) {
    throw new CommandFailure('usage', '- stands alone: the keys come from stdin.')
  }
  await assertKnown(session)
  if (prefix !== undefined) return evictPrefix(session, prefix)
  return isFromInput ? evictInput(session) : evictWords(session)
}

async function evictWords(session: Session): Promise<number> {
  const { words, namespace } = session
  const keys = [...new Set(words.map((word) => fullKeyFrom(word, namespace)))]
  if (await confirmed(session, { what: `evict ${counted(keys.length, 'key')} of ${namespace}` })) {
    await report(session, await evictAll(session, chunksOf(fromList(keys))))
  }
  return EXIT.done
}

/** The number of keys is unknown until all of them are read, so this needs --yes. */
async function evictInput(session: Session): Promise<number> {
  if (await confirmed(session, { what: `evict the keys on stdin from ${session.namespace}` })) {
    await report(session, await evictAll(session, chunksOf(keysOnInput(session))))
  }
  return EXIT.done
}

async function evictPrefix(session: Session, prefix: string): Promise<number> {
  const { inspection, namespace, signal } = session
  let count = 0
  for await (const { items } of inspection.entries(namespace, prefix, { signal })) {
    count += items.length
  }
  const what = `evict ${counted(count, 'key')} of ${namespace} that begin with ${prefix}, as a scan found them`
  if (await confirmed(session, { what })) {
    await report(session, await evictAll(session, keysOf(session, prefix)))
  }
  return EXIT.done
}

async function* keysOf(
  { inspection, namespace, signal }: Session,
  prefix: string,
): AsyncGenerator<readonly string[], void, undefined> {
  for await (const { items } of inspection.entries(namespace, prefix, { signal })) {
    if (items.length > 0) yield items.map(({ key }) => key)
  }
}

/** Evicts step by step, through the store's own script. */
async function evictAll(
  session: Session,
  chunks: AsyncIterable<readonly string[]>,
): Promise<Outcome> {
  const { inspection, namespace, options, signal, out } = session
  const settleMs = options.duration('settle') ?? 0
  const request = { soft: options.has('soft'), settleMs }
  const store = inspection.store(namespace)
  let keys = 0
  let stored = 0
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted()
      stored += await evictChunk(store, chunk, request)
      keys += chunk.length
    }
  } catch (error) {
    if (keys > 0) out.talk(`${counted(keys, 'key')} had been evicted when this happened.`)
    throw error
  }
  return { keys, stored }
}

async function evictChunk(
  store: RemoteStore,
  keys: readonly string[],
  request: EvictRequest,
): Promise<number> {
  const addresses = keys.map((key) => ({ partition: partitionOf(key), key }))
  const headers = await store.readHeaders(addresses)
  await store.evict(addresses, request)
  return headers.filter((header) => header !== undefined).length
}

async function report(session: Session, { keys, stored }: Outcome): Promise<void> {
  const { inspection, namespace, out } = session
  const { listening } = await inspection.fleet(namespace)
  await out.one({ namespace, evicted: keys, stored, listening: listening ?? null }, () => [
    `Evicted ${counted(keys, 'key')}; ${stored} of them in Redis. ${heardBy(listening)}`,
  ])
}

/** Says how many nodes have heard of a change. */
export function heardBy(listening: number | undefined): string {
  if (listening === undefined) return 'It is unknown how many nodes listen.'
  return `${counted(listening, 'node')} ${listening === 1 ? 'listens' : 'listen'}, and ${listening === 1 ? 'was' : 'were'} told.`
}

async function* keysOnInput({
  shell,
  namespace,
}: Session): AsyncGenerator<string, void, undefined> {
  const lines = createInterface({ input: shell.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    if (line !== '') yield fullKeyFrom(keyOfLine(line), namespace)
  }
}

/** A key as text, or an object with one, as `larder keys --json` prints it. */
function keyOfLine(line: string): string {
  if (!line.startsWith('{"')) return line
  try {
    const { key } = JSON.parse(line) as { readonly key?: unknown }
    if (typeof key === 'string') return key
  } catch {
    // Then it is a text that begins like an object.
  }
  return line
}

async function* fromList(keys: readonly string[]): AsyncGenerator<string, void, undefined> {
  yield* keys
}

async function* chunksOf(
  keys: AsyncIterable<string>,
): AsyncGenerator<readonly string[], void, undefined> {
  let chunk: string[] = []
  for await (const key of keys) {
    chunk.push(key)
    if (chunk.length < AT_ONCE) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
