/** What a handler throws to give a message up at once. */

const MARK = Symbol.for('@larder/plugins:reject-message')

/**
 * Thrown by a handler: the message becomes a dead letter at once, because no repetition would help. Its text is kept with the dead letter.
 *
 * @example if (order.currency !== 'EUR') throw new RejectMessage('Only euros are taken')
 */
export class RejectMessage extends Error {
  readonly [MARK] = true

  override get name(): string {
    return 'RejectMessage'
  }
}

/** Also for one of another copy of this package. */
export function isRejection(error: unknown): boolean {
  return error instanceof Error && (error as { readonly [MARK]?: unknown })[MARK] === true
}
