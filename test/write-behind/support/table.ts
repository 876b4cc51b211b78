/** A table that compares fences and versions, in a Redis of its own, and remembers everything that was written to it. */

import type { FlushContext, WrittenWrite } from '@larder/plugins/write-behind'
import { Redis } from 'ioredis'

const SAVE = `
if redis.call('EXISTS', KEYS[1] .. ':away') == 1 then
  redis.call('INCR', KEYS[1] .. ':missed')
  return redis.error_reply('AWAY')
end
local fence = tonumber(redis.call('HGET', KEYS[1] .. ':fence', 'fence') or '0')
if tonumber(ARGV[1]) < fence then
  redis.call('INCR', KEYS[1] .. ':refused')
  return 0
end
redis.call('HSET', KEYS[1] .. ':fence', 'fence', ARGV[1])
for i = 2, #ARGV, 3 do
  local key, version, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  redis.call('HSET', KEYS[1], key, value)
  redis.call('RPUSH', KEYS[1] .. ':log', cjson.encode({ key, version, value }))
end
return 1`

export type LogLine = readonly [key: string, version: string, value: string]

export class Table {
  readonly #client: Redis
  readonly #name: string

  constructor(url: string, name: string) {
    this.#client = new Redis(url)
    this.#name = name
  }

  /** One transaction. */
  async save(writes: readonly WrittenWrite<unknown>[], { fence }: FlushContext): Promise<void> {
    const rows = writes.flatMap(({ key, version, value }) => [key, version, String(value)])
    await this.#client.eval(SAVE, 1, this.#name, fence ?? 0, ...rows)
  }

  async rows(): Promise<Record<string, string>> {
    return this.#client.hgetall(this.#name)
  }

  async log(): Promise<readonly LogLine[]> {
    const lines = await this.#client.lrange(`${this.#name}:log`, 0, -1)
    return lines.map((line) => JSON.parse(line) as LogLine)
  }

  /** Batches whose fence was too old. */
  async refused(): Promise<number> {
    return Number(await this.#client.get(`${this.#name}:refused`))
  }

  /** Batches that came while it was away. */
  async missed(): Promise<number> {
    return Number(await this.#client.get(`${this.#name}:missed`))
  }

  async away(isAway: boolean): Promise<void> {
    if (isAway) await this.#client.set(`${this.#name}:away`, '1')
    else await this.#client.del(`${this.#name}:away`)
  }

  /** What processes tell each other. */
  async note(what: string): Promise<void> {
    await this.#client.set(`${this.#name}:${what}`, '1')
  }

  async isNoted(what: string): Promise<boolean> {
    return (await this.#client.exists(`${this.#name}:${what}`)) === 1
  }

  close(): void {
    this.#client.disconnect()
  }
}

/** Where a key went back to an older version. */
export function stepsBack(log: readonly LogLine[]): readonly LogLine[] {
  const last = new Map<string, number>()
  return log.filter(([key, version]) => {
    const isBack = Number(version) < (last.get(key) ?? 0)
    last.set(key, Number(version))
    return isBack
  })
}
