import { connect, type Socket } from 'node:net'
import { Conversation, readCommand } from './proxy-conversation.ts'
import { Lane, type LaneFaults } from './proxy-lane.ts'
import type { ProxyRules } from './proxy-rules.ts'
import { FrameScanner } from './resp-frames.ts'

/** Where a connection leads, and what applies to it. */
export interface ProxyRoute {
  readonly host: string
  readonly port: number
  readonly faults: { readonly toServer: LaneFaults; readonly toClient: LaneFaults }
  readonly rules: ProxyRules
  readonly counters: ProxyCounters
}

/** What passed a proxy, over all its connections. */
export interface ProxyCounters {
  connections: number
  bytesToServer: number
  bytesToClient: number
  commands: number
  roundTrips: number
  messagesDropped: number
  /** Names of the latest commands, for a failing test's message. */
  readonly latestCommands: string[]
}

const LATEST_COMMANDS = 200
/** Goes to the server in place of a refused command, so that replies keep their order. */
const STAND_IN = Buffer.from('*1\r\n$4\r\nPING\r\n')

/**
 * One client's connection and ours to the server. Frames are passed on whole, so that a fault that is switched on
 * in the middle of a message swallows all of it or nothing.
 */
export class ProxyConnection {
  readonly toServer: Lane
  readonly toClient: Lane
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #route: ProxyRoute
  readonly #conversation = new Conversation()
  readonly #commands = new FrameScanner()
  readonly #answers = new FrameScanner()
  #openEnds = 2

  constructor(client: Socket, route: ProxyRoute, onClosed: () => void) {
    this.#client = client
    this.#upstream = connect({ host: route.host, port: route.port, allowHalfOpen: true })
    this.#route = route
    this.toServer = new Lane(client, this.#upstream, route.faults.toServer)
    this.toClient = new Lane(this.#upstream, client, route.faults.toClient)
    this.#join(client, this.toServer, (chunk) => this.#fromClient(chunk))
    this.#join(this.#upstream, this.toClient, (chunk) => this.#fromServer(chunk))
    for (const socket of [client, this.#upstream]) {
      socket.on('close', () => {
        this.#openEnds -= 1
        if (this.#openEnds === 0) onClosed()
      })
    }
  }

  get hasLost(): boolean {
    return this.toServer.hasLost || this.toClient.hasLost
  }

  /** Ends both sides with a reset. */
  reset(): void {
    this.toServer.close()
    this.toClient.close()
    this.#client.resetAndDestroy()
    this.#upstream.resetAndDestroy()
  }

  #join(socket: Socket, lane: Lane, onData: (chunk: Buffer) => void): void {
    // A forgotten proxy doesn't keep its process alive: whoever uses it has a socket of its own.
    socket.unref()
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      try {
        onData(chunk)
      } catch (error) {
        process.emitWarning(`The proxy to port ${this.#route.port} broke a connection: ${error}`)
        this.reset()
      }
    })
    socket.on('end', () => lane.send('end'))
    socket.on('error', () => this.reset())
  }

  #fromClient(chunk: Buffer): void {
    this.#route.counters.bytesToServer += chunk.length
    const frames = this.#commands.push(chunk).map((frame) => this.#command(frame))
    if (frames.length > 0) this.toServer.send(Buffer.concat(frames))
  }

  #command(frame: Buffer): Buffer {
    const { counters, rules } = this.#route
    const command = readCommand(frame)
    const refusal = rules.refusalOf(command)
    this.#conversation.ask(command, refusal)
    counters.commands += 1
    counters.latestCommands.push(command.name)
    if (counters.latestCommands.length > LATEST_COMMANDS) counters.latestCommands.shift()
    return refusal === undefined ? frame : STAND_IN
  }

  #fromServer(chunk: Buffer): void {
    this.#route.counters.bytesToClient += chunk.length
    const passing: Buffer[] = []
    const pass = (): void => {
      if (passing.length > 0) this.toClient.send(Buffer.concat(passing.splice(0)))
    }
    for (const frame of this.#answers.push(chunk)) {
      const verdict = this.#judge(frame)
      if (verdict.kind === 'pass') passing.push(verdict.frame)
      if (verdict.kind !== 'lost') continue
      // Replies have no names: a client would take the next one for the lost one. So nothing may follow it.
      pass()
      if (verdict.then === 'reset') {
        this.reset()
        return
      }
      this.toClient.silence()
      passing.push(frame)
    }
    pass()
  }

  #judge(frame: Buffer): Verdict {
    const { counters, rules } = this.#route
    const heard = this.#conversation.hear(frame)
    if (heard.kind === 'other') return { kind: 'pass', frame }
    if (heard.kind === 'message') {
      if (!rules.dropsMessage(heard.message)) return { kind: 'pass', frame }
      counters.messagesDropped += 1
      return { kind: 'drop' }
    }
    if (heard.isLastOpen) counters.roundTrips += 1
    const then = rules.lossOf(heard.command)
    if (then !== undefined) return { kind: 'lost', then }
    const { refusal } = heard
    return { kind: 'pass', frame: refusal === undefined ? frame : Buffer.from(`-${refusal}\r\n`) }
  }
}

type Verdict =
  | { readonly kind: 'pass'; readonly frame: Buffer }
  | { readonly kind: 'drop' }
  | { readonly kind: 'lost'; readonly then: 'hang' | 'reset' }
