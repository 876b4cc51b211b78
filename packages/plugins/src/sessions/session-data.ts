/** What a session may hold at its top: named parts. */

import { InvalidOptionError } from '@larder/core'

/** @throws InvalidOptionError unless it is an object with named parts; a map, a date or a list has none */
export function assertData(data: unknown, option: string): void {
  if (typeof data === 'object' && data !== null && !isNameless(data)) return
  const described = typeof data === 'object' && data !== null ? `a ${kindOf(data)}` : undefined
  throw new InvalidOptionError({ option, expected: 'an object', received: data, described })
}

function isNameless(data: object): boolean {
  if (Array.isArray(data) || ArrayBuffer.isView(data)) return true
  return ['Map', 'Set', 'Date', 'Promise'].includes(kindOf(data))
}

function kindOf(data: object): string {
  return Object.prototype.toString.call(data).slice(8, -1)
}
