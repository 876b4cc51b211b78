/** Where Redis is, as a flag, the environment or a file says it. */

import type { InspectionSource } from '@larder/redis-store/inspect'

export interface Connection {
  readonly source: InspectionSource
  /** Where locks, limits and sessions are, when that is another Redis. */
  readonly locks?: InspectionSource | undefined
  readonly limits?: InspectionSource | undefined
  readonly sessions?: InspectionSource | undefined
  /** The namespace of the file or the environment; a flag takes precedence. */
  readonly namespace: string | undefined
  /** Which flag, variable or file said it; for messages, without credentials. */
  readonly origin: string
  /** Decodes a stored entry as the application does; absent where only its connection is known. */
  readonly value?: ((key: string, bytes: Uint8Array) => Promise<unknown>) | undefined
  /** To be called at the end. */
  close?(): Promise<void>
}
