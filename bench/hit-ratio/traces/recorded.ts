/** Recorded traces: every `*.i32be.gz` of a folder, each a gzip of big-endian 32-bit keys in the order of access. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Trace } from './trace.ts'

const SUFFIX = '.i32be.gz'

/** @throws Error when there is none in the folder, or a file is no trace */
export function recordedTraces(folder: string, most: number): readonly Trace[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX))
  if (files.length === 0) throw new Error(`There is no trace (*${SUFFIX}) in ${folder}`)
  return files.sort().map((file) => ({
    name: file.slice(0, -SUFFIX.length),
    keys: keysOf(readFileSync(join(folder, file)), file).subarray(0, most),
  }))
}

function keysOf(packed: Buffer, file: string): Int32Array {
  const bytes = gunzipSync(packed)
  if (bytes.length % 4 !== 0) throw new Error(`${file} is cut: it is no whole number of keys`)
  const keys = new Int32Array(bytes.length / 4)
  for (let i = 0; i < keys.length; i++) keys[i] = bytes.readInt32BE(i * 4)
  return keys
}
