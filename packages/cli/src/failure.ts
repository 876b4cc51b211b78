/** The ways in which a command fails, and their exit codes. */

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  interrupted: 130,
} as const

export type FailureKind = 'failed' | 'usage' | 'unreachable' | 'notFound'

/** The user interrupted the command; nothing is printed about it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Ends a command. `message` says what happened, `fix` what to do about it. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly kind: FailureKind
  readonly fix: string | undefined

  constructor(kind: FailureKind, message: string, fix?: string) {
    super(message)
    this.kind = kind
    this.fix = fix
  }
}
