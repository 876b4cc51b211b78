import { once } from 'node:events'
import { type BusMessage, tagBehind, tagText } from '@larder/core/store'
import { msOf } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import { safeJson, visible } from '../output/escape.ts'
import type { Output } from '../output/output.ts'
import { counted, countOf, instantText } from '../output/units.ts'
import { assertKnown } from './looked.ts'

/** How many lines wait while the reader is slow. Further lines are left out and counted. */
const MOST_WAITING = 10_000

export async function runWatch(session: Session): Promise<number> {
  const { inspection, namespace, options, out, signal } = session
  await assertKnown(session)
  const queue = new Queue(signal)
  inspection.tail(namespace, {
    onMessage: (message) => queue.add(message),
    onGarbage: () => out.talk('Something that is not a message of Larder was published.'),
    onUp: () => out.talk(`Listening to ${namespace}.`),
    onDown: () => out.talk('The connection is lost; messages are missed until it is back.'),
  })
  const limit = options.count('limit') ?? Number.POSITIVE_INFINITY
  let printed = 0
  while (printed < limit) {
    const message = await queue.next()
    if (message === undefined) break
    await out.line(out.isJson ? safeJson(dataOf(message)) : textOf(message, out))
    printed += 1
  }
  const dropped =
    queue.dropped === 0
      ? ''
      : `, and ${countOf(queue.dropped)} were left out: the reader was too slow`
  out.talk(`${counted(printed, 'message')}${dropped}.`)
  return EXIT.done
}

class Queue {
  readonly #signal: AbortSignal
  readonly #messages: BusMessage[] = []
  readonly #news = new EventTarget()
  dropped = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(message: BusMessage): void {
    if (this.#messages.length < MOST_WAITING) this.#messages.push(message)
    else this.dropped += 1
    this.#news.dispatchEvent(new Event('news'))
  }

  /** `undefined` when it was interrupted. */
  async next(): Promise<BusMessage | undefined> {
    while (this.#messages.length === 0) {
      if (this.#signal.aborted) return undefined
      await once(this.#news, 'news', { signal: this.#signal }).catch(() => undefined)
    }
    return this.#messages.shift()
  }
}

function dataOf(message: BusMessage): object {
  const at = instantOf(message)
  return { at: at === undefined ? null : new Date(at).toISOString(), ...message }
}

/** When it happened, by the server's clock; wake-ups and doubts do not say. */
function instantOf(message: BusMessage): number | undefined {
  if (message.kind === 'keys') return msOf(message.seq)
  return message.kind === 'tags' ? msOf(message.version) : undefined
}

function textOf(message: BusMessage, out: Output): string {
  const at = out.paint('dim', instantText(instantOf(message)).padEnd(24))
  switch (message.kind) {
    case 'keys': {
      const how = message.soft === true ? 'changed softly' : 'changed'
      return `${at}  ${how}  ${message.keys.map(visible).join(' ')}  ${out.paint('dim', `partition ${message.partition}`)}`
    }
    case 'tags':
      return `${at}  tags  ${message.tags.map((tag) => visible(nameOf(tag))).join(' ')}`
    case 'wake':
      return `${at}  load ended  ${visible(message.key)}`
    case 'doubt':
      return `${at}  in doubt  ${[...message.keys, ...message.tags.map(nameOf)].map(visible).join(' ')}`
  }
}

/** A name of the tag clock as text for people. */
function nameOf(name: string): string {
  const tag = tagBehind(name)
  const soft = tag === name ? '' : ' (softly)'
  if (tag === '*') return `everything${soft}`
  if (tag.startsWith('@')) return `cache ${tag.slice(1)}${soft}`
  if (tag.startsWith('%')) return `partition ${tag.slice(1)}${soft}`
  return `${tagText(tag)}${soft}`
}
