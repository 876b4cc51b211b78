/** How the scripts of locks name a holder or waiter: the mode, several permits as a number, the owner. See lua/includes/lock.lua. */

import type { LockMode } from '@larder/core'
import type { LockTarget } from '@larder/core/store'

const MODE_LETTERS = { write: 'w', read: 'r', permit: 'p' } as const
/** The mode letter of those who hold several permits; their number and a comma follow. */
const SEVERAL = 'P'

export function memberOf({ mode, owner, weight = 1 }: LockTarget): string {
  return mode === 'permit' && weight > 1
    ? `${SEVERAL}${weight},${owner}`
    : MODE_LETTERS[mode] + owner
}

export function ownerOf(member: string): string {
  return member.slice(member.startsWith(SEVERAL) ? member.indexOf(',') + 1 : 1)
}

/** `undefined` for what is not a holder. */
export function modeOf(member: string): LockMode | undefined {
  const letter = member.slice(0, 1).toLowerCase()
  return (Object.keys(MODE_LETTERS) as LockMode[]).find((mode) => MODE_LETTERS[mode] === letter)
}
