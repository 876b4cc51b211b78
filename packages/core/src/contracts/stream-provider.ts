/**
 * What streams ask of a store: a log of messages, and groups of consumers that share the work on it.
 *
 * A group has each entry of the stream delivered to one of its consumers at a time. A delivered entry is pending, and its consumer's, until
 * it is acknowledged. A consumer keeps its entries by saying so; one that is silent about an entry for too long loses it to the consumer that takes
 * it next. So a message is handled at least once, and never lost because a process died.
 *
 * Everything of a stream is on one server. Every method may reject at any time; the caller bounds it with its own deadline and ignores late
 * replies: a call that was not answered may have been carried out.
 */

/** A group of consumers of a stream. */
export interface StreamGroup {
  /** Part of the store's keys, as is `group`. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly stream: string
  readonly group: string
}

/** What holds for adding. */
export interface StreamRule {
  readonly stream: string
  /** For how long ids of messages are remembered, ms. */
  readonly rememberMs: number
  /** About how many entries are kept; a store may keep some hundred more. */
  readonly maxLength: number
  /** For about how long entries are kept, ms; infinite for no bound. */
  readonly maxAgeMs: number
  /** True: entries beyond these bounds go, even those that a group is not done with. */
  readonly trimsUnhandled: boolean
}

export interface StreamAddition {
  /** A message that was added with the same id shortly before is not added again. Absent: it is always added. */
  readonly id: string | undefined
  readonly bytes: Uint8Array
}

export interface AdditionReply {
  /** The store's id of the entry: later ones are larger. */
  readonly entry: string
  /** False when the id was known: then it is the entry of the first one. */
  readonly isNew: boolean
}

/** An entry as it is delivered. */
export interface StreamEntry {
  readonly entry: string
  readonly bytes: Uint8Array
  /** How often it was delivered to this group, this time included. From 1. */
  readonly deliveries: number
  /** The only group it is for: a dead letter of it that was put back. */
  readonly onlyFor: string | undefined
}

export interface StreamRead {
  readonly consumer: string
  /** From 1. */
  readonly count: number
  /** How long to wait for the first entry, ms. */
  readonly waitMs: number
}

/** Reads of one consumer, one at a time: they wait, so they have a connection of their own. */
export interface StreamReader {
  /** Delivers entries that the group was not delivered yet, the oldest first; `absent` when there is no such group. */
  read(group: StreamGroup, read: StreamRead): Promise<readonly StreamEntry[] | 'absent'>
  close(): Promise<void>
}

export interface StreamTake {
  readonly consumer: string
  /** From 1. */
  readonly count: number
  /** An entry about which its consumer was silent for so long is taken from it, ms. */
  readonly idleMs: number
  /** Entries that the consumer has at the moment; they are left alone. */
  readonly held: readonly string[]
  /** Where the last look for silent consumers ended; `0-0` at first. */
  readonly cursor: string
}

export interface StreamTaken {
  /** Those that are due again, and those of silent consumers. */
  readonly entries: readonly StreamEntry[]
  /** Pending entries that are no longer in the stream; they are forgotten. */
  readonly gone: readonly string[]
  readonly cursor: string
  /** In how long the next entry is due again, ms; absent when none waits. */
  readonly nextDueMs: number | undefined
}

/** What becomes of an entry of a consumer. */
export type StreamSettlement =
  /** It was handled; also when another consumer has it by now. `mark`: what was in it is not to be handled again for so long. */
  | {
      readonly kind: 'done'
      readonly entry: string
      readonly mark?: { readonly id: string; readonly forMs: number } | undefined
    }
  /** It is due again in so many ms. */
  | { readonly kind: 'retry'; readonly entry: string; readonly afterMs: number }
  /** It was not handled, and this delivery does not count: it is due at once. Saying it again changes nothing. */
  | { readonly kind: 'back'; readonly entry: string }
  /** It becomes a dead letter. */
  | {
      readonly kind: 'dead'
      readonly entry: string
      readonly bytes: Uint8Array
      readonly error: string
      readonly deliveries: number
      /** How many dead letters the group keeps; the oldest ones go. From 1. */
      readonly keep: number
    }

/** A message that a group gave up. */
export interface DeadLetterEntry {
  /** The store's id of the dead letter: later ones are larger. */
  readonly letter: string
  readonly bytes: Uint8Array
  /** Why it was given up. */
  readonly error: string
  readonly deliveries: number
  /** The entry that it was. */
  readonly entry: string
}

export interface StreamStatusReply {
  /** How many entries are in the stream, handled ones included. */
  readonly length: number
  /** How many were delivered and not acknowledged, `waiting` included. */
  readonly pending: number
  /** How many of them are due again later, or now. */
  readonly waiting: number
  /** How many were not delivered yet; absent where the store cannot say. */
  readonly unread: number | undefined
  readonly deadLetters: number
  readonly consumers: number
}

export interface StreamCapabilities {
  /** Streams are seen by other processes. */
  readonly shared: boolean
}

export interface StreamProvider {
  /** Says where streams are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: StreamCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Adds messages, in their order, in one atomic step. A reply for each. */
  add(rule: StreamRule, messages: readonly StreamAddition[]): Promise<readonly AdditionReply[]>
  /** Makes a group unless there is one: from the first entry, or from now. True when it was made. */
  makeGroup(group: StreamGroup, from: 'start' | 'new'): Promise<boolean>
  /** Makes a reader for a stream; costs nothing before its first read. */
  reader(stream: string): StreamReader
  /** Delivers entries that were delivered before; `absent` when there is no such group. */
  take(group: StreamGroup, take: StreamTake): Promise<StreamTaken | 'absent'>
  /** Says that a consumer has these entries; replies which of them are no longer its own. */
  keep(group: StreamGroup, consumer: string, entries: readonly string[]): Promise<readonly string[]>
  /** False, and nothing is changed, when the entry is not this consumer's; with `done`, when it is not pending, and the mark is made. */
  settle(group: StreamGroup, consumer: string, settlement: StreamSettlement): Promise<boolean>
  /** For each id of a message whether a mark of it stands. */
  marked(group: StreamGroup, ids: readonly string[]): Promise<readonly boolean[]>
  /** Dead letters after one of them, or the first ones; the oldest first. */
  deadLetters(
    group: StreamGroup,
    after: string | undefined,
    count: number,
  ): Promise<readonly DeadLetterEntry[]>
  /** Puts a dead letter back at the end of the stream, for its group only; replies the entry that it is now. */
  replay(group: StreamGroup, letter: string): Promise<string | undefined>
  /** Removes a dead letter; false when there is none. */
  discard(group: StreamGroup, letter: string): Promise<boolean>
  /**
   * Forgets consumers that have nothing pending: this one, or all that have been silent for so long. One that has something pending is
   * never forgotten: its entries would go with it. Replies how many.
   */
  forget(
    group: StreamGroup,
    who: { readonly consumer: string } | { readonly silentMs: number },
  ): Promise<number>
  /**
   * Ends a consumer: what it has, also what it was never told of because a reply was lost, is due at once, and these deliveries do not count.
   * It is forgotten when nothing of it is pending any more.
   */
  leave(group: StreamGroup, consumer: string): Promise<void>
  status(group: StreamGroup): Promise<StreamStatusReply>
  close(): Promise<void>
}
