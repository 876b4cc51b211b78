/** A TCP proxy in front of a Redis server, whose faults can be switched while it runs. */

import { createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../free-port.ts'
import { ProxyConnection, type ProxyCounters } from './proxy-connection.ts'
import type { ProxyMessage } from './proxy-conversation.ts'
import type { LaneFaults } from './proxy-lane.ts'
import { type CommandFailure, type EndFault, ProxyRules, type ReplyLoss } from './proxy-rules.ts'

/** Which way a fault applies. */
export type Direction = 'to-server' | 'to-client' | 'both'

/** The server behind a proxy; a `RedisServer` is one. */
export interface ProxyTarget {
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Gives the proxy's own `url` its password. */
  readonly url?: string
}

const PORT_TRIES = 5

/**
 * Starts a proxy to a Redis server; a number is a port of this machine.
 *
 * @example await using proxy = await startProxy(redis);
 *   proxy.dropMessages(({ channel }) => channel.endsWith(':bus'));
 */
export async function startProxy(target: ProxyTarget | number): Promise<TcpProxy> {
  for (let left = PORT_TRIES; ; left--) {
    const proxy = new TcpProxy(
      typeof target === 'number' ? { port: target } : target,
      await freePort(),
    )
    try {
      await proxy.refuse(false)
      return proxy
    } catch (error) {
      if (left === 1) throw error
    }
  }
}

/** A running proxy. Faults add up; {@link TcpProxy.heal} ends them all. */
export class TcpProxy implements AsyncDisposable {
  readonly host: string = '127.0.0.1'
  readonly port: number
  readonly #target: ProxyTarget
  readonly #connections = new Set<ProxyConnection>()
  readonly #rules = new ProxyRules()
  readonly #faults = { toServer: noFaults(), toClient: noFaults() }
  readonly #counters = noCounters()
  #endLoss: EndFault = () => {}
  #server: Server | undefined

  /** Use {@link startProxy}. */
  constructor(target: ProxyTarget, port: number) {
    this.#target = target
    this.port = port
  }

  get url(): string {
    const url = new URL(this.#target.url ?? 'redis://127.0.0.1')
    url.hostname = this.host
    url.port = String(this.port)
    return url.href
  }

  /** Resets every connection; new ones are accepted. */
  cut(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** Refuses new connections while on, as a port does that nobody listens on. Open ones stay. */
  async refuse(on: boolean): Promise<void> {
    if (!on) return this.#listen()
    this.#server?.close()
    this.#server = undefined
  }

  /**
   * Swallows everything while on: connections stay open, new ones are accepted, nothing comes through.
   * Switched off, connections that lost bytes are reset, because their streams make no sense any more.
   */
  blackhole(on: boolean, direction: Direction = 'both'): void {
    for (const faults of this.#faultsOf(direction)) faults.isHole = on
    if (!on) this.#resetBroken()
  }

  /** Silences the open connections for good, while new ones work: the half-open connection of a lost peer. */
  silence(direction: Direction = 'both'): void {
    for (const connection of this.#connections) {
      if (direction !== 'to-client') connection.toServer.silence()
      if (direction !== 'to-server') connection.toClient.silence()
    }
  }

  /** Holds everything back; nothing is lost, {@link TcpProxy.thaw} delivers it. */
  freeze(direction: Direction = 'both'): void {
    for (const faults of this.#faultsOf(direction)) faults.isFrozen = true
  }

  thaw(direction: Direction = 'both'): void {
    for (const faults of this.#faultsOf(direction)) faults.isFrozen = false
    this.#flush()
  }

  /** Makes everything take `ms` longer, in each direction. 0 ends it for what comes after. */
  delay(ms: number, direction: Direction = 'both'): void {
    for (const faults of this.#faultsOf(direction)) faults.delayMs = ms
  }

  /** Loses replies of commands that the server has executed. */
  dropReplies(loss: ReplyLoss = {}): EndFault {
    return this.#rules.lose(loss)
  }

  /** Answers commands with an error in the server's place: OOM, LOADING, READONLY, NOPERM. */
  failCommands(failure: CommandFailure): EndFault {
    return this.#rules.fail(failure)
  }

  /** Silently swallows pub/sub messages while everything else passes: loss with a healthy connection. */
  dropMessages(matches: (message: ProxyMessage) => boolean = () => true): EndFault {
    return this.#rules.drop(matches)
  }

  /** Loses the messages of channels whose name contains `text`; undefined ends that. */
  loseChunksWith(text: string | undefined): void {
    this.#endLoss()
    if (text === undefined) return
    this.#endLoss = this.dropMessages(({ channel }) => channel.includes(text))
  }

  /** Ends every fault. Connections that lost bytes are reset. */
  async heal(): Promise<void> {
    this.#rules.clear()
    for (const faults of this.#faultsOf('both')) Object.assign(faults, noFaults())
    this.#resetBroken()
    this.#flush()
    await this.refuse(false)
  }

  /** Connections accepted since the start or {@link TcpProxy.resetCounters}. */
  connections(): number {
    return this.#counters.connections
  }

  /** Connections that are open now. */
  openConnections(): number {
    return this.#connections.size
  }

  /** Bytes that arrived here, passed on or not. */
  bytes(direction: Direction = 'both'): number {
    const { bytesToServer, bytesToClient } = this.#counters
    return (
      (direction === 'to-client' ? 0 : bytesToServer) +
      (direction === 'to-server' ? 0 : bytesToClient)
    )
  }

  /** Commands that clients sent. */
  commands(): number {
    return this.#counters.commands
  }

  /** The names of the latest commands, for the message of a test that counted too many. */
  latestCommands(): readonly string[] {
    return [...this.#counters.latestCommands]
  }

  /**
   * Round trips: commands that a client sent without waiting count as one, once all of them are answered.
   * Per connection, so a Cluster's or two nodes' add up.
   */
  roundTrips(): number {
    return this.#counters.roundTrips
  }

  /** Messages that {@link TcpProxy.dropMessages} swallowed. */
  messagesDropped(): number {
    return this.#counters.messagesDropped
  }

  resetCounters(): void {
    // In place: open connections count into the same object.
    Object.assign(this.#counters, noCounters())
  }

  async stop(): Promise<void> {
    await this.refuse(true)
    this.cut()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #listen(): Promise<void> {
    if (this.#server !== undefined) return Promise.resolve()
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client))
    this.#server = server
    server.unref()
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: this.port, host: this.host, exclusive: true }, resolve)
    })
  }

  #accept(client: Socket): void {
    const { port, host = '127.0.0.1' } = this.#target
    this.#counters.connections += 1
    const route = { host, port, faults: this.#faults, rules: this.#rules, counters: this.#counters }
    const connection = new ProxyConnection(client, route, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
  }

  #faultsOf(direction: Direction): LaneFaults[] {
    const { toServer, toClient } = this.#faults
    if (direction === 'both') return [toServer, toClient]
    return [direction === 'to-server' ? toServer : toClient]
  }

  #flush(): void {
    for (const { toServer, toClient } of this.#connections) {
      toServer.flush()
      toClient.flush()
    }
  }

  #resetBroken(): void {
    for (const connection of this.#connections) if (connection.hasLost) connection.reset()
  }
}

function noFaults(): LaneFaults {
  return { isFrozen: false, isHole: false, delayMs: 0 }
}

function noCounters(): ProxyCounters {
  return {
    connections: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    commands: 0,
    roundTrips: 0,
    messagesDropped: 0,
    latestCommands: [],
  }
}
