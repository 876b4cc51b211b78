/** What calls about messages and streams reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** One thing that is wrong with a message. */
export interface MessageIssue {
  /** Where in the message, such as `$.items[0].price`. */
  readonly path: string
  /** In the words of the schema, which may name values of the message: mind where you print it. */
  readonly message: string
}

export interface InvalidMessage {
  /** The stream or topic. */
  readonly topic: string
  /** `send`: it was refused before it was sent; `receive`: it was sent, and is not given to a handler. */
  readonly side: 'send' | 'receive'
  /** `schema`: the schema refused it; `unreadable`: its bytes cannot be read, see `cause`; `too-large`. */
  readonly reason: 'schema' | 'unreadable' | 'too-large'
  readonly issues?: readonly MessageIssue[]
  readonly cause?: unknown
}

const MOST_PATHS = 5

/** A message is not what the schema says, or cannot be read. The text of this error has paths only, and no value. */
export class MessageInvalidError extends LarderError {
  static {
    markFamily(MessageInvalidError)
  }

  readonly topic: string
  readonly side: 'send' | 'receive'
  readonly reason: 'schema' | 'unreadable' | 'too-large'
  /** What the schema found. Not enumerable, so that it is not logged: its texts may name values. */
  declare readonly issues: readonly MessageIssue[]

  constructor({ topic, side, reason, issues = [], cause }: InvalidMessage) {
    super('LARDER_MESSAGE_INVALID', textOf({ topic, side, reason, issues }), {
      ...(cause === undefined ? {} : { cause }),
    })
    this.topic = topic
    this.side = side
    this.reason = reason
    Object.defineProperty(this, 'issues', { value: issues, enumerable: false })
  }

  override get name(): string {
    return 'MessageInvalidError'
  }
}

function textOf({ topic, side, reason, issues = [] }: InvalidMessage): string {
  const of = side === 'send' ? `A message for ${topic}` : `A message of ${topic}`
  if (reason === 'unreadable') return `${of} cannot be read.`
  if (reason === 'too-large') return `${of} has more bytes than are allowed.`
  const paths = issues.slice(0, MOST_PATHS).map(({ path }) => path)
  const more = issues.length > MOST_PATHS ? ` and at ${issues.length - MOST_PATHS} more places` : ''
  return `${of} is not what its schema says: look at ${paths.join(', ')}${more}.`
}
