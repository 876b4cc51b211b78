/** What was said about where Redis is. */

import type { InspectionSource } from '@larder/redis-store/inspect'

export interface Connection {
  readonly source: InspectionSource
  /** Where locks and limits are, when that is another Redis. */
  readonly locks?: InspectionSource | undefined
  readonly limits?: InspectionSource | undefined
  /** What the file or environment says; a flag comes before it. */
  readonly namespace: string | undefined
  /** Where it was said, for messages; without credentials. */
  readonly origin: string
  /** Decodes a stored entry as the application does; absent where only its connection is known. */
  readonly value?: ((key: string, bytes: Uint8Array) => Promise<unknown>) | undefined
  /** To be called in the end. */
  close?(): Promise<void>
}
