/** The part of an ioredis client (5 or 6, standalone, Sentinel-backed or Cluster) that this store uses. */

export type Reply = unknown

export interface RedisPipeline {
  evalshaBuffer(sha: string, keyCount: number, ...args: (string | Buffer)[]): unknown
  zscore(key: string, member: string): unknown
  getrangeBuffer(key: string, start: number, end: number): unknown
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

export interface RedisClient {
  readonly status: string
  readonly isCluster?: boolean
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
  duplicate(...overrides: unknown[]): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
  off(event: string, listener: (...args: never[]) => void): unknown
  pipeline(): RedisPipeline
  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]>
  getrangeBuffer(key: string, start: number, end: number): Promise<Buffer>
  evalBuffer(lua: string, keyCount: number, ...args: (string | Buffer)[]): Promise<Reply>
  evalshaBuffer(sha: string, keyCount: number, ...args: (string | Buffer)[]): Promise<Reply>
  zscore(key: string, member: string): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  ping(): Promise<unknown>
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    amount: number,
  ): Promise<[cursor: string, keys: string[]]>
  nodes?(role: 'master'): RedisClient[]
}
