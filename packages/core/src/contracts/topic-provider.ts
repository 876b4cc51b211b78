/**
 * What topics ask of a store: to hand a message to everybody who listens now.
 *
 * Delivery is at most once: a message is not kept, and reaches nobody who was not listening. A provider may lose messages and need not
 * notice; it never delivers one twice, and keeps the order of one publisher in a topic while nothing is lost.
 */

/** Names what is published to or listened to. */
export interface TopicTarget {
  /** 1 to 200 of `A-Z a-z 0-9 _ . -`; dots divide it into segments. Of a pattern, a segment may be `*`, which stands for any one segment. */
  readonly name: string
  readonly isPattern: boolean
  /** In a Cluster: by the shard of the topic only, where the servers can do it. Never with a pattern. */
  readonly isSharded: boolean
}

/** None of its methods may throw. */
export interface TopicListener {
  /** `topic`: the whole name, also for a pattern. */
  onMessage(topic: string, payload: Uint8Array): void
  /** Messages arrive from now on; anything may have been missed before. Never called within `listen`. */
  onUp(): void
  /** Messages no longer arrive, or do not yet. */
  onDown(reason: unknown): void
}

export interface TopicCapabilities {
  /** Messages reach other processes. */
  readonly shared: boolean
}

export interface TopicProvider {
  /** Says where messages go through: `redis`, `local`. */
  readonly name: string
  readonly capabilities: TopicCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Hands a message to those who listen. Resolves when the store has taken it, which says nothing about who heard it. */
  publish(target: TopicTarget, payload: Uint8Array): Promise<void>
  /** Listens from now on, also after connections were lost; returns what ends it. Each call is a listener of its own. */
  listen(target: TopicTarget, listener: TopicListener): () => void
  close(): Promise<void>
}
