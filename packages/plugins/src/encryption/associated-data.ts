/**
 * What a ciphertext is bound to: everything of its entry that stays as it was written. It cannot be opened under another key, cache,
 * namespace or version, without one of its tags, as another kind of result, or after other steps.
 *
 * The encoding is never decoded; two different entries must never have the same one. So each part has a fixed place, or begins with its
 * length.
 */

import type { CodecStepContext } from '@larder/core/store'

const COMMIT_BYTES = 6

/** `format`: the version of the payload, `step`: the id of the codec step. */
export function associatedDataOf(
  entry: CodecStepContext,
  { format, step }: { readonly format: number; readonly step: number },
): Buffer {
  const { namespace, cache, key, flags, commit, birth, schema, tags, stepsBefore } = entry
  const numbers = Buffer.alloc(3 + 4 + COMMIT_BYTES + 8)
  numbers[0] = format
  numbers[1] = step
  numbers[2] = flags
  numbers.writeUInt32BE(schema, 3)
  numbers.writeUIntBE(commit, 7, COMMIT_BYTES)
  numbers.writeDoubleBE(birth, 7 + COMMIT_BYTES)
  const texts = [namespace, cache, key].flatMap(lengthFirst)
  return Buffer.concat([
    numbers,
    ...texts,
    uint32(tags.length),
    ...tags.flatMap(lengthFirst),
    uint32(stepsBefore.length),
    Buffer.from(stepsBefore),
  ])
}

function lengthFirst(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, 'utf8')
  return [uint32(bytes.length), bytes]
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
