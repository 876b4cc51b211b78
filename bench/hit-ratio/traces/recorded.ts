/**
 * Recorded traces, of a folder: every `*.i32be.gz`, a gzip of big-endian 32-bit keys in the order of access, and every
 * `*.trace.gz`, a gzip of text with a key on each line.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Trace } from './trace.ts'

type ReadKeys = (content: Buffer, file: string) => Int32Array

const FORMATS: Readonly<Record<string, ReadKeys>> = {
  '.i32be.gz': keysOfIntegers,
  '.trace.gz': keysOfLines,
}

/** @throws Error when there is none in the folder, or a file is not a trace */
export function recordedTraces(folder: string, most: number): readonly Trace[] {
  const suffixes = Object.keys(FORMATS)
  const traces = readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const suffix = suffixes.find((each) => file.endsWith(each))
      const readKeys = FORMATS[suffix ?? '']
      if (suffix === undefined || readKeys === undefined) return []
      const keys = readKeys(gunzipSync(readFileSync(join(folder, file))), file)
      return [{ name: file.slice(0, -suffix.length), keys: keys.subarray(0, most) }]
    })
  if (traces.length > 0) return traces
  throw new Error(`There is no trace (*${suffixes.join(', *')}) in ${folder}`)
}

function keysOfIntegers(bytes: Buffer, file: string): Int32Array {
  if (bytes.length % 4 !== 0) throw new Error(`${file} is cut: it is no whole number of keys`)
  const keys = new Int32Array(bytes.length / 4)
  for (let i = 0; i < keys.length; i++) keys[i] = bytes.readInt32BE(i * 4)
  return keys
}

/** Keys are any text; a line with an asterisk is a mark of LIRS's simulator. */
function keysOfLines(content: Buffer): Int32Array {
  const numbers = new Map<string, number>()
  const lines = content.toString('utf8').split('\n')
  const asked = lines.map((line) => line.trim()).filter((line) => line !== '' && line !== '*')
  return Int32Array.from(asked, (key) => {
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    return number
  })
}
