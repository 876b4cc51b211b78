import { commandParts, itemsOf, parseFrame, type RespValue } from './resp-frames.ts'

/** A command as a client sent it. */
export interface ProxyCommand {
  /** In capitals. */
  readonly name: string
  readonly args: readonly string[]
  readonly argCount: number
}

/** A pub/sub message on its way to a subscriber. */
export interface ProxyMessage {
  readonly kind: 'message' | 'pmessage' | 'smessage'
  readonly channel: string
  readonly payload: Buffer
}

/** What a frame from the server is. */
export type Heard =
  | { readonly kind: 'message'; readonly message: ProxyMessage }
  | {
      readonly kind: 'reply'
      readonly command: ProxyCommand
      readonly isLastOpen: boolean
      readonly refusal: string | undefined
    }
  /** Part of a longer confirmation, or something nobody asked for. */
  | { readonly kind: 'other' }

interface Asked {
  readonly command: ProxyCommand
  readonly refusal: string | undefined
  /** A subscription is confirmed once per channel. */
  confirmationsLeft: number
}

const ARRAY = 0x2a
const PUSH = 0x3e
const ERROR = 0x2d
const MESSAGE_KINDS = new Set(['message', 'pmessage', 'smessage'])
const CONFIRMATION = /^[ps]?(un)?subscribe$/

/** Follows one connection closely enough to say which command a reply answers, and what is a message. */
export class Conversation {
  readonly #asked: Asked[] = []
  #isResp3 = false
  #hasSubscribed = false

  /** Takes note of a command; `refusal` is the error that will be answered in the server's place. */
  ask(command: ProxyCommand, refusal: string | undefined): void {
    const isSubscription = CONFIRMATION.test(command.name.toLowerCase())
    this.#hasSubscribed ||= isSubscription && refusal === undefined
    this.#asked.push({
      command,
      refusal,
      confirmationsLeft: Math.max(isSubscription ? command.argCount : 1, 1),
    })
  }

  /** Says what a frame from the server is. */
  hear(frame: Buffer): Heard {
    if (this.#mayBePush(frame)) {
      const items = itemsOf(parseFrame(frame))
      const kind = String(items[0])
      if (MESSAGE_KINDS.has(kind)) return { kind: 'message', message: messageOf(items) }
      if (CONFIRMATION.test(kind)) return this.#confirmed(kind)
      if (frame[0] === PUSH) return { kind: 'other' }
    }
    return this.#replied(frame[0] === ERROR)
  }

  /** In RESP2 a message is an array like any other, told apart by the connection being a subscriber's. */
  #mayBePush(frame: Buffer): boolean {
    return frame[0] === PUSH || (frame[0] === ARRAY && this.#hasSubscribed && !this.#isResp3)
  }

  #confirmed(kind: string): Heard {
    const head = this.#asked[0]
    // An UNSUBSCRIBE without channels is confirmed as often as there were some.
    if (head === undefined || head.command.name.toLowerCase() !== kind) return { kind: 'other' }
    head.confirmationsLeft -= 1
    return head.confirmationsLeft > 0 ? { kind: 'other' } : this.#replied(false)
  }

  #replied(isError: boolean): Heard {
    const head = this.#asked.shift()
    if (head === undefined) return { kind: 'other' }
    const { command, refusal } = head
    if (command.name === 'HELLO' && refusal === undefined && !isError)
      this.#isResp3 = command.args[0] === '3'
    return { kind: 'reply', command, refusal, isLastOpen: this.#asked.length === 0 }
  }
}

/** Reads a command from its frame. */
export function readCommand(frame: Buffer): ProxyCommand {
  const [name = '', ...args] = commandParts(frame)
  return {
    name: String(name).toUpperCase(),
    // Only for those who ask: an argument may be a value of megabytes.
    get args() {
      return args.map(String)
    },
    argCount: args.length,
  }
}

/** `message channel payload`, or `pmessage pattern channel payload`. */
function messageOf(items: readonly RespValue[]): ProxyMessage {
  const payload = items.at(-1)
  return {
    kind: String(items[0]) as ProxyMessage['kind'],
    channel: String(items.at(-2)),
    payload: Buffer.isBuffer(payload) ? payload : Buffer.alloc(0),
  }
}
