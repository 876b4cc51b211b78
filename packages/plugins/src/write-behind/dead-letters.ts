/** Dead letters as their users see them. */

import type { BuriedWrite } from '@larder/core/store'
import type { QueueValues } from './queue-values.ts'
import type { DeadLetter } from './written-write.ts'

/** What cannot be decoded any more is still listed: it may have died of that. */
export async function letterOf<Value>(
  { id, key, error, buriedAt, tries, isOutdated, parts }: BuriedWrite,
  values: QueueValues,
): Promise<DeadLetter<Value>> {
  const last = parts.at(-1)
  const facts = { id, key, error, tries, isOutdated, buriedAt: new Date(buriedAt) }
  const kind = parts[0]?.kind ?? 'delete'
  const version = last?.version ?? 0
  try {
    const { value } = await values.written({ key, parts })
    return { ...facts, kind, version, value: value as Value | undefined }
  } catch {
    return { ...facts, kind, version, value: undefined }
  }
}
