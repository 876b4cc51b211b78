/** One server, asked by name of command: what is asked of a server differs from tool to tool. */

import { listOf, millisecondsOf, numberOf, textOf } from '../commands/replies.ts'
import { addressOf } from '../connection/cluster-nodes.ts'
import type { ClusterClient, RedisClient, Reply } from '../connection/redis-client.ts'
import { withoutCommand } from '../connection/redis-error.ts'

export class InspectedServer {
  readonly #client: RedisClient
  readonly #cluster: ClusterClient | undefined

  constructor(client: RedisClient, cluster?: ClusterClient) {
    this.#client = client
    this.#cluster = cluster
  }

  /** Host and port, or the path of a socket; never credentials. */
  get address(): string {
    const { options, stream } = this.#client
    if (typeof options?.path === 'string' && options.path !== '') return options.path
    // Where Sentinel led to is known to the socket only.
    if (stream?.remoteAddress !== undefined) return `${stream.remoteAddress}:${stream.remotePort}`
    return addressOf(this.#client)
  }

  /** True for a server that only repeats another one's writes, as far as the client of a Cluster knows. */
  get isReplica(): boolean {
    return this.#cluster !== undefined && this.#client.options?.readOnly === true
  }

  /** @throws what the server answers, without the command that it answers */
  async ask(command: string, ...args: readonly string[]): Promise<Reply> {
    try {
      return await this.#client.callBuffer(command, ...args)
    } catch (error) {
      throw withoutCommand(error)
    }
  }

  async text(command: string, ...args: readonly string[]): Promise<string> {
    return textOf(await this.ask(command, ...args))
  }

  async number(command: string, ...args: readonly string[]): Promise<number> {
    return numberOf(await this.ask(command, ...args))
  }

  async list(command: string, ...args: readonly string[]): Promise<readonly unknown[]> {
    return listOf(await this.ask(command, ...args))
  }

  /** The fields of a section of INFO, by name. */
  async info(section: string): Promise<ReadonlyMap<string, string>> {
    const lines = (await this.text('INFO', section)).split('\r\n')
    return new Map(
      lines
        .filter((line) => !line.startsWith('#') && line.includes(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    )
  }

  /** The server's clock, ms. */
  async nowMs(): Promise<number> {
    return millisecondsOf(await this.ask('TIME'))
  }
}
