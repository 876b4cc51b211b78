/** Names and values, one pair per line: for one thing that is shown to a person. */

import { visible } from './escape.ts'

export type Pair = readonly [name: string, value: string | undefined]

/** Lines of `name  value`; pairs without a value are left out. */
export function pairLines(pairs: readonly Pair[]): readonly string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  const width = shown.reduce((most, [name]) => Math.max(most, name.length), 0)
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${visible(value)}`)
}
