/** Writes as they were when their call began: the caller may change its values afterwards. */

import type { WriteKind } from '@larder/core/store'
import type { QueueValues } from './queue-values.ts'

/** A write by its key's text. */
export interface NamedWrite {
  readonly key: string
  readonly kind: WriteKind
  readonly value: unknown
}

export interface SealedWrite {
  readonly text: string
  readonly kind: WriteKind
  readonly bytes: Promise<Uint8Array>
  /** The value as it is taken from the queue. */
  opened(): Promise<unknown>
}

/** Encodes at once; what cannot be encoded is said when the bytes are asked for. */
export function sealWrites(
  values: QueueValues,
  writes: readonly NamedWrite[],
): readonly SealedWrite[] {
  return writes.map(({ key, kind, value }) => {
    const bytes = values.seal(key, kind, value)
    // Heard by the one that awaits it, which may be later.
    bytes.catch(() => undefined)
    const opened = async (): Promise<unknown> => {
      return kind === 'delete' ? undefined : values.open(key, await bytes)
    }
    return { text: key, kind, bytes, opened }
  })
}
