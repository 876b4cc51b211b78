/** The part of ioredis (5 or 6: standalone, Sentinel-backed or Cluster) that this store uses. */

export type Reply = unknown
export type Argument = string | Buffer

/** The commands to a server, or to a Cluster, which finds the server. */
export interface RedisCommander {
  getBuffer(key: string): Promise<Buffer | null>
  mgetBuffer(keys: readonly string[]): Promise<(Buffer | null)[]>
  getrangeBuffer(key: string, start: number, end: number): Promise<Reply>
  zscore(key: string, member: string): Promise<Reply>
  zmscore(key: string, members: readonly string[]): Promise<Reply>
  zrem(key: string, member: string): Promise<Reply>
  call(command: string, ...args: string[]): Promise<Reply>
  callBuffer(command: string, ...args: string[]): Promise<Reply>
  set(key: string, value: string, condition: 'NX'): Promise<Reply>
  publish(channel: string, payload: Buffer): Promise<Reply>
  spublish(channel: string, payload: Buffer): Promise<Reply>
  time(): Promise<Reply>
  evalBuffer(lua: string, keyCount: number, keysAndArgs: readonly Argument[]): Promise<Reply>
  evalshaBuffer(sha: string, keyCount: number, keysAndArgs: readonly Argument[]): Promise<Reply>
}

export interface RedisClient extends RedisCommander {
  readonly status: string
  readonly options?: ClientOptions
  /** The present state of the connection; only this knows a database selected later. */
  readonly condition?: { readonly select?: number | undefined } | null | undefined
  /** The socket, while there is one; a Cluster client has none of its own. */
  readonly stream?: {
    cork(): void
    uncork(): void
    readonly bytesRead?: number | undefined
    readonly remoteAddress?: string | undefined
    readonly remotePort?: number | undefined
  }
  connect(): Promise<void>
  disconnect(): void
  duplicate(...overrides: unknown[]): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
  off(event: string, listener: (...args: never[]) => void): unknown
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  psubscribe(...patterns: string[]): Promise<unknown>
  punsubscribe(...patterns: string[]): Promise<unknown>
  ssubscribe(...channels: string[]): Promise<unknown>
  sunsubscribe(...channels: string[]): Promise<unknown>
  select(database: number): Promise<unknown>
  wait(replicas: number, timeoutMs: number): Promise<unknown>
  ping(): Promise<unknown>
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    amount: number,
  ): Promise<[cursor: string, keys: string[]]>
}

/** A client of a Redis Cluster; `slots` lists for each slot the addresses that serve it, its master first. */
export interface ClusterClient extends RedisClient {
  readonly isCluster: true
  readonly slots: readonly (readonly string[] | undefined)[]
  nodes(role?: 'all' | 'master'): RedisClient[]
}

/** What is read of a client's options. */
export interface ClientOptions {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly path?: string | null | undefined
  readonly db?: number | undefined
  readonly readOnly?: boolean | undefined
  readonly sentinels?: readonly unknown[] | null | undefined
  readonly redisOptions?: object | undefined
}

export function isCluster(client: RedisClient): client is ClusterClient {
  return 'isCluster' in client && client.isCluster === true
}
