/** What a duel asks of a cache: to read through a loader, to forget a key, and to close. */

/** One node of a contestant: a cache with connections of its own. */
export interface DuelNode {
  read(key: string): Promise<number>
  /** Resolves when the contestant says that the key is evicted. */
  evict(key: string): Promise<void>
  close(): Promise<void>
}

export interface DuelSetup {
  /** Redis, by way of a proxy. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Loads a key from the source. */
  readonly load: (key: string) => Promise<number>
}

export interface Contestant {
  readonly name: string
  /** Where in its documentation the set-up comes from. */
  readonly setup: string
  start(setup: DuelSetup): Promise<DuelNode>
}
