/** What calls about write-behind reject with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** The store of the write queues cannot be reached, or did not answer in time. Of a write it is unknown whether it was queued. */
export class WritesUnavailableError extends LarderError {
  static {
    markFamily(WritesUnavailableError)
  }

  constructor(cause: unknown) {
    super(
      'LARDER_WRITES_UNAVAILABLE',
      'The store of the write queues cannot say; a write may have been queued or not.',
      { cause },
    )
  }

  override get name(): string {
    return 'WritesUnavailableError'
  }
}

/** As many writes wait as may. Nothing was queued. */
export class WriteQueueFullError extends LarderError {
  static {
    markFamily(WriteQueueFullError)
  }

  constructor(queue: string, waiting: number) {
    super(
      'LARDER_WRITE_QUEUE_FULL',
      `${waiting} writes wait in the queue ${queue}, which is as many as may. This one was not queued.`,
    )
  }

  override get name(): string {
    return 'WriteQueueFullError'
  }
}

/** Writes still wait when the time to flush them is over. They stay in the queue. */
export class WritesPendingError extends LarderError {
  static {
    markFamily(WritesPendingError)
  }

  /** How many keys wait. */
  readonly pending: number

  constructor(queue: string, pending: number, cause?: unknown) {
    super(
      'LARDER_WRITES_PENDING',
      `${pending} keys of the queue ${queue} still wait to be written. They stay queued.`,
      { cause },
    )
    this.pending = pending
  }

  override get name(): string {
    return 'WritesPendingError'
  }
}

/** A write was queued, and the disk of the server did not have it in time: a crash of the server may lose it. */
export class WriteNotDurableError extends LarderError {
  static {
    markFamily(WriteNotDurableError)
  }

  constructor(queue: string, timeoutMs: number) {
    super(
      'LARDER_WRITE_NOT_DURABLE',
      `A write is in the queue ${queue}, and was not on the server's disk within ${timeoutMs} ms. It will be written unless the server loses it.`,
    )
  }

  override get name(): string {
    return 'WriteNotDurableError'
  }
}

/** A dead letter was not replayed: a newer write of its key was queued since, and it would take its place. */
export class WriteOutdatedError extends LarderError {
  static {
    markFamily(WriteOutdatedError)
  }

  constructor(queue: string, id: string) {
    super(
      'LARDER_WRITE_OUTDATED',
      `The dead letter ${id} of the queue ${queue} is older than a later write of its key. It was not replayed.`,
    )
  }

  override get name(): string {
    return 'WriteOutdatedError'
  }
}

/** A writer throws it for a write that will never succeed: it becomes a dead letter at once, and is not tried again. */
export class RejectedWriteError extends LarderError {
  static {
    markFamily(RejectedWriteError)
  }

  /** @param reason is kept with the dead letter */
  constructor(reason: string, cause?: unknown) {
    super('LARDER_WRITE_REJECTED', reason, { cause })
  }

  override get name(): string {
    return 'RejectedWriteError'
  }
}
