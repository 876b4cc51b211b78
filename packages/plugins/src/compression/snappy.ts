/**
 * Snappy by the package of that name, which the user passes in: applications that do not use it need not install or load it.
 *
 * Its raw format begins with the length of what was compressed. The package makes room for that many bytes before it reads on,
 * so a length above the bound is refused before the package sees the bytes; and it refuses bytes that become longer or shorter than it.
 */

import { InvalidOptionError } from '@larder/core'
import type { Directions } from './algorithms.ts'

/** The part of the package `snappy` (7.x) that is used: `import * as snappy from 'snappy'`. */
export interface SnappyModule {
  compress(input: Buffer): Promise<Buffer>
  compressSync(input: Buffer): Buffer
  uncompress(input: Buffer): Promise<string | Buffer>
  uncompressSync(input: Buffer): string | Buffer
}

const FUNCTIONS = ['compress', 'compressSync', 'uncompress', 'uncompressSync'] as const
/** The most bytes that the length takes, with 7 bits each. */
const LENGTH_BYTES = 5

/** @throws InvalidOptionError for what is not that package */
export function assertSnappy(module: unknown, option: string): asserts module is SnappyModule {
  const found = moduleOf(module)
  if (found !== undefined) return
  throw new InvalidOptionError({
    option,
    expected: "the package snappy, 7 or newer: import * as snappy from 'snappy'",
    received: module,
  })
}

/** `module`: checked by `assertSnappy`. */
export function snappyDirections(module: SnappyModule): Directions {
  const snappy = moduleOf(module) ?? module
  return {
    compressNow: (bytes) => snappy.compressSync(bufferOf(bytes)),
    compress: (bytes) => snappy.compress(bufferOf(bytes)),
    inflateNow: (bytes, maxBytes) => snappy.uncompressSync(bounded(bytes, maxBytes)) as Buffer,
    // Async, so that a refusal is a rejection.
    inflate: async (bytes, maxBytes) =>
      (await snappy.uncompress(bounded(bytes, maxBytes))) as Buffer,
    levels: undefined,
  }
}

/** The package, or what a loader that wraps CommonJS made of it. */
function moduleOf(module: unknown): SnappyModule | undefined {
  if (isSnappy(module)) return module
  const inner = (module as { readonly default?: unknown } | null | undefined)?.default
  return isSnappy(inner) ? inner : undefined
}

function isSnappy(module: unknown): module is SnappyModule {
  if (typeof module !== 'object' || module === null) return false
  return FUNCTIONS.every((name) => typeof (module as SnappyModule)[name] === 'function')
}

/** @throws RangeError for bytes that say they become longer than allowed, or do not say it */
function bounded(bytes: Uint8Array, maxBytes: number): Buffer {
  const length = statedLength(bytes)
  if (length === undefined) throw new RangeError('These bytes are not compressed by Snappy')
  if (length > maxBytes) {
    throw new RangeError(`The payload would inflate to ${length} bytes, above ${maxBytes}`)
  }
  return bufferOf(bytes)
}

function statedLength(bytes: Uint8Array): number | undefined {
  let length = 0
  for (let i = 0; i < LENGTH_BYTES; i++) {
    const byte = bytes[i]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  return undefined
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
