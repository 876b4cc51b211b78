/** Amounts for people. In JSON they stay plain numbers, with their unit in the name. */

import { spanOf } from '@larder/redis-store/inspect'

const KIB = 1_024

/** `null`: the server does not say. */
export function sizeOf(bytes: number | null): string {
  if (bytes === null) return 'unknown'
  if (bytes < KIB) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let amount = bytes / KIB
  let unit = 0
  while (amount >= KIB && unit < units.length - 1) {
    amount /= KIB
    unit += 1
  }
  return `${amount.toFixed(amount < 10 ? 1 : 0)} ${units[unit]}`
}

export function countOf(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** How long ago, or until when; `-` where it is not known. */
export function spanText(ms: number | undefined): string {
  return ms === undefined ? '-' : spanOf(Math.max(0, ms))
}

export function instantText(ms: number | undefined): string {
  return ms === undefined ? '-' : new Date(ms).toISOString()
}

/** `1 key`, `2 keys`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${countOf(count)} ${count === 1 ? noun : plural}`
}
