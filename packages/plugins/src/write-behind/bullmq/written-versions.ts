/**
 * Which version of each key was written last, in Redis: a job that is tried again after a newer one must not write its older values.
 *
 * Versions are times in microseconds, so one sorted set holds them, and a range of it is what is too old to be remembered.
 */

/** What is used of a client of ioredis. */
export interface VersionsClient {
  call(command: string, ...args: readonly string[]): Promise<unknown>
}

interface KeyVersion {
  readonly key: string
  readonly version: number
}

export interface WrittenVersionsParts {
  readonly client: VersionsClient
  readonly namespace: string
  readonly queue: string
  readonly rememberMs: number
}

const US_PER_MS = 1_000

export class WrittenVersions {
  readonly #client: VersionsClient
  readonly #name: string
  readonly #rememberMs: number

  constructor({ client, namespace, queue, rememberMs }: WrittenVersionsParts) {
    this.#client = client
    this.#name = `larder-handed-over:{${namespace}:${queue}}`
    this.#rememberMs = rememberMs
  }

  /** Those of which neither this version nor a newer one was written. */
  async newOf<Write extends KeyVersion>(writes: readonly Write[]): Promise<readonly Write[]> {
    if (writes.length === 0) return writes
    const keys = writes.map(({ key }) => key)
    const known = (await this.#client.call('ZMSCORE', this.#name, ...keys)) as readonly unknown[]
    return writes.filter(({ version }, i) => version > Number(known[i] ?? 0))
  }

  /** A version never goes down. */
  async note(writes: readonly KeyVersion[]): Promise<void> {
    if (writes.length === 0) return
    const pairs = writes.flatMap(({ key, version }) => [String(version), key])
    await this.#client.call('ZADD', this.#name, 'GT', ...pairs)
    const newest = Math.max(...writes.map(({ version }) => version))
    const oldest = newest - this.#rememberMs * US_PER_MS
    await this.#client.call('ZREMRANGEBYSCORE', this.#name, '-inf', `(${oldest}`)
    await this.#client.call('PEXPIRE', this.#name, String(this.#rememberMs))
  }
}
