/**
 * One node's connections to a memory server: a line for commands, a line for messages, and everything that can happen to
 * them.
 *
 * A command travels as two tasks, the request and its reply, and a message as one; each goes through the server's `deliver`,
 * which decides when (and whether, and how often) it arrives. What the link decides is what an arrival still means: after a
 * disconnect, requests on their way are lost unless said otherwise, replies find nobody, and messages are gone. While the
 * line hangs, whatever arrives waits.
 */

import type { BusListener, BusMessage } from '../../contracts/bus.ts'
import type { RemoteOperation } from '../faults/remote-faults.ts'

/** What a task that is to be delivered is. */
export type Delivery =
  | {
      readonly kind: 'request' | 'reply'
      readonly node: number
      readonly operation: RemoteOperation | 'publish' | 'announce'
    }
  | { readonly kind: 'message'; readonly node: number; readonly message: BusMessage }
  /** The subscription comes to stand. */
  | { readonly kind: 'subscription'; readonly node: number }

/**
 * Runs tasks now or later, in any order, once, never or several times. Requests of one node to one partition arrive in order
 * on a real connection; a scheduler that reorders them tests more than can happen.
 */
export type Deliver = (task: () => void, delivery: Delivery) => void

export interface DisconnectOptions {
  /** Which line. @default both */
  readonly only?: 'commands' | 'messages' | undefined
  /** The node does not notice: calls hang until `reconnect`, messages are missing. @default false */
  readonly silently?: boolean | undefined
  /** What becomes of requests on their way: `'arrives'` carries them out although the node was told that they failed. @default 'lost' */
  readonly inFlight?: 'lost' | 'arrives' | undefined
}

type LineState = 'up' | 'down' | 'silent'

interface Request {
  isLost: boolean
  reject(error: unknown): void
}

interface Subscription {
  readonly namespace: string
  readonly listener: BusListener
}

export class NodeLink {
  readonly node: number
  readonly #deliver: Deliver
  readonly #requests = new Set<Request>()
  #commands: LineState = 'up'
  #messages: LineState = 'up'
  #subscription: Subscription | undefined
  /** What the server knows of the subscription: a number that changes whenever it is lost. */
  #standing = 0
  #isStanding = false
  #isHung = false
  #parked: (() => void)[] = []

  constructor(node: number, deliver: Deliver) {
    this.node = node
    this.#deliver = deliver
  }

  /** False while the node knows that its commands cannot get through. */
  get isReady(): boolean {
    return this.#commands !== 'down'
  }

  /** Sends a command; `execute` runs when and if it arrives. */
  request<Result>(
    operation: RemoteOperation | 'publish' | 'announce',
    execute: () => Result,
  ): Promise<Result> {
    if (this.#commands === 'down') return Promise.reject(new Error('Not connected'))
    return new Promise<Result>((resolve, reject) => {
      const request: Request = { isLost: this.#commands === 'silent', reject }
      this.#requests.add(request)
      this.#send({ kind: 'request', node: this.node, operation }, () => {
        if (request.isLost) return
        const settle = settlementOf(execute, resolve, reject)
        this.#send({ kind: 'reply', node: this.node, operation }, () => {
          if (this.#commands !== 'silent' && this.#requests.delete(request)) settle()
        })
      })
    })
  }

  /** Starts a subscription; it stands once that has been delivered. */
  subscribe(namespace: string, listener: BusListener): void {
    this.#subscription = { namespace, listener }
    this.#askForSubscription()
  }

  unsubscribe(): void {
    this.#subscription = undefined
    this.#loseStanding()
  }

  /** Carries a published message to the node, if it is subscribed at this moment. */
  carry(namespace: string, message: BusMessage): void {
    if (!this.#isStanding || this.#subscription?.namespace !== namespace) return
    const standing = this.#standing
    this.#send({ kind: 'message', node: this.node, message }, () => {
      if (this.#isStanding && this.#standing === standing) {
        this.#subscription?.listener.onMessage(message)
      }
    })
  }

  disconnect({ only, silently = false, inFlight = 'lost' }: DisconnectOptions = {}): void {
    const state = silently ? 'silent' : 'down'
    const reason = new Error('The connection was lost')
    if (only !== 'messages') {
      this.#commands = state
      for (const request of this.#requests) request.isLost ||= inFlight === 'lost'
      if (!silently) this.#rejectAll(reason)
    }
    if (only === 'commands') return
    this.#messages = state
    const wasStanding = this.#isStanding
    this.#loseStanding()
    if (!silently && wasStanding) this.#subscription?.listener.onDown(reason)
  }

  /** Both lines are up again, on new connections: what was unanswered on the old ones fails now. */
  reconnect(): void {
    if (this.#commands === 'silent') this.#rejectAll(new Error('The connection was lost'))
    const hadMessages = this.#messages === 'up'
    this.#commands = 'up'
    this.#messages = 'up'
    if (!hadMessages) this.#askForSubscription()
    // A new line for commands is a reason to look again, too: it may lead to another server.
    else if (this.#isStanding) this.#subscription?.listener.onDoubt()
  }

  /** Nothing gets through in either direction, and nobody is told. */
  hang(): void {
    this.#isHung = true
  }

  /** Everything that arrived meanwhile takes place now, in its order. */
  resume(): void {
    this.#isHung = false
    const parked = this.#parked
    this.#parked = []
    for (const arrive of parked) arrive()
  }

  /** Ends everything; what is unanswered rejects. */
  close(): void {
    this.unsubscribe()
    this.#commands = 'down'
    for (const request of this.#requests) request.isLost = true
    this.#rejectAll(new Error('The store was closed'))
  }

  #askForSubscription(): void {
    if (this.#subscription === undefined || this.#messages !== 'up') return
    const subscription = this.#subscription
    this.#send({ kind: 'subscription', node: this.node }, () => {
      if (this.#subscription !== subscription || this.#messages !== 'up' || this.#isStanding) return
      this.#isStanding = true
      subscription.listener.onUp()
    })
  }

  #loseStanding(): void {
    this.#isStanding = false
    this.#standing += 1
  }

  #rejectAll(reason: unknown): void {
    for (const { reject } of this.#requests) reject(reason)
    this.#requests.clear()
  }

  #send(delivery: Delivery, arrive: () => void): void {
    this.#deliver(() => {
      if (this.#isHung) this.#parked.push(arrive)
      else arrive()
    }, delivery)
  }
}

/** Executes now, and returns what hands the outcome over later. */
function settlementOf<Result>(
  execute: () => Result,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const result = execute()
    return () => resolve(result)
  } catch (error) {
    return () => reject(error)
  }
}
