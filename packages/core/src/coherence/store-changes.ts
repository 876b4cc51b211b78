/** Changes that this node makes in the store: each is applied here from the store's reply, and told to all where the store does not do that. */

import type { BusMessage, KeysMessage } from '../contracts/bus.ts'
import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  PutReply,
  PutRequest,
} from '../contracts/remote-store.ts'
import type { CatchUp } from './catch-up.ts'
import { EvictionQueued } from './eviction-queued.ts'
import type { Inbox } from './inbox.ts'
import type { Knowledge } from './knowledge.ts'
import { NOT_ASKED } from './partitions.ts'
import type { ConnectedParts } from './parts.ts'

const HARD: EvictRequest = { soft: false, settleMs: 0 }

export interface StoreChangesParts
  extends Pick<ConnectedParts, 'remote' | 'clock' | 'longestLifeMs'> {
  readonly knowledge: Knowledge
  readonly inbox: Inbox
  readonly catchUp: CatchUp
}

export class StoreChanges {
  readonly #parts: StoreChangesParts

  constructor(parts: StoreChangesParts) {
    this.#parts = parts
  }

  /** @throws EvictionQueued for what the store fails with, and for nothing else; it is for the caller to queue. */
  async evict(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { remote, clock, knowledge, inbox } = this.#parts
    const asQueued = (error: unknown): never => {
      remote.reportDefect('evict', error)
      throw new EvictionQueued(error)
    }
    const asked = new Map(
      addresses.map(({ partition }) => [partition, knowledge.partition(partition).heard]),
    )
    const replies = await remote.evict(addresses, request).catch(asQueued)
    for (const reply of replies) {
      const evicted = addresses.filter(({ partition }) => partition === reply.partition)
      const { soft: isSoft, settleMs } = request
      const window = settleMs > 0 ? { settleUntil: clock.now() + settleMs } : {}
      const heard = asked.get(reply.partition) ?? NOT_ASKED
      const change = { ...knowledge.changeOf(reply, heard), isSoft, ...window }
      for (const address of evicted) knowledge.own.note(address, { ...change })
      const keys = evicted.map(({ key }) => key)
      const message = keysMessage(reply, keys, request)
      inbox.applyKeys(message, heard, reply.announcedWithinMs)
      await this.publish(message).catch(asQueued)
    }
  }

  /** Puts an entry. Throws what the store fails with; then it may have been stored all the same. */
  async put(address: EntryAddress, commit: number, request: PutRequest): Promise<PutReply> {
    const { remote, knowledge, inbox } = this.#parts
    const asked = knowledge.partition(address.partition).heard
    const reply = await remote.run('put', (store) => store.put(address, request))
    knowledge.noteOwnPut(address, commit, reply, asked)
    const message = keysMessage(reply, [address.key], HARD)
    inbox.applyKeys(message, asked, reply.announcedWithinMs)
    await this.publish(message)
    return reply
  }

  /** Invalidates tags, under a version above every birth of this node. */
  async bump(tags: readonly string[]): Promise<void> {
    const { remote, longestLifeMs, knowledge, catchUp } = this.#parts
    const { confirmed } = knowledge.tags
    const bump = await remote.run('bump-tags', (store) =>
      // Also above those births that it gave while it could not ask.
      store.bumpTags(tags, Math.floor(knowledge.tags.now), longestLifeMs()),
    )
    if (bump.previous < confirmed) knowledge.doubtBirths()
    await this.publish({ kind: 'tags', ...bump, tags })
    if (knowledge.tags.applyBump(tags, bump) === 'gap') await catchUp.tags()
  }

  /** Publishes a change for stores that do not publish themselves. */
  async publish(message: BusMessage): Promise<void> {
    const { store } = this.#parts.remote
    if (store.capabilities.publishes) return
    await store.bus?.publish?.(message)
  }
}

/** The message that follows a change of keys. */
export function keysMessage(
  { partition, previous, seq }: MutationReply,
  keys: readonly string[],
  { soft, settleMs }: EvictRequest,
): KeysMessage {
  return {
    kind: 'keys',
    partition,
    previous,
    seq,
    keys,
    ...(soft ? { soft } : {}),
    ...(settleMs > 0 ? { settleMs } : {}),
  }
}
