/** Where entries are updated: in the shared tier, or in this process. */

import type { PutFence } from './put-fence.ts'
import type { ReadCall } from './read-call.ts'

/** What was found before a try. */
export interface Seen {
  /** The callback's own; `undefined` where nothing may be used. */
  readonly value: unknown
  /** What was known before the look. To be ended. */
  readonly fence: PutFence
}

/** What a try came to: `stored`; `removed`, because the value must not be cached; or what is there in its place, as far as it is known. */
export type TryOutcome<Look extends Seen> =
  | 'stored'
  | 'removed'
  | { readonly refused: Look | undefined }

export interface UpdatePlace<Look extends Seen> {
  look(call: ReadCall): Look | Promise<Look>
  /** Writes if the entry still is what was seen. */
  write(call: ReadCall, seen: Look, value: unknown): Promise<TryOutcome<Look>>
}
