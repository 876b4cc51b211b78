/** Values of the simulation as bytes: rows, absences and errors of the source, as JSON. */

import type { CodecFactory } from '@larder/core/store'
import { SourceError, type Value } from './source.ts'

interface Encoded {
  readonly value?: Value | null
  readonly error?: readonly number[]
}

export const simulationCodec: CodecFactory = () => ({
  name: 'simulation',
  encode(value: unknown): Uint8Array {
    const encoded: Encoded =
      value instanceof SourceError ? { error: value.origins } : { value: value as Value | null }
    return Buffer.from(JSON.stringify(encoded))
  },
  decode(bytes: Uint8Array): unknown {
    const { value, error } = parse(bytes)
    return error === undefined ? value : new SourceError(error)
  },
})

/** Returns the origins of an encoded value or error: several for the error of a batch, none for an absence. */
export function originsOf(payload: Uint8Array): readonly number[] {
  const { value, error } = parse(payload)
  return error ?? (value ? [value.origin] : [])
}

function parse(bytes: Uint8Array): Encoded {
  return JSON.parse(Buffer.from(bytes).toString()) as Encoded
}
