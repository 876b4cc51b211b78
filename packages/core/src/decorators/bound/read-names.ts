/** The caches that code of this process reads, as far as that is known: to notice evictions and puts that have no effect. */

import { shared } from '../../lifecycle/shared-state.ts'
import { nearestName } from '../../options/assert-option.ts'

const { readNames } = shared
/** Marks the name of a method whose cache is named after it, once its class is known. */
const METHOD = '.'
/** Names may be made from user input: above this number, every name counts as read. */
const CAP = 10_000

/** Notes that a cache is read, or was requested by name. */
export function noteReader(cacheName: string): void {
  note(cacheName)
}

/** Notes that a method reads a cache that will be named after it. */
export function noteReadingMethod(methodName: string): void {
  note(METHOD + methodName)
}

function note(name: string): void {
  if (readNames.size < CAP) readNames.add(name)
}

/** False for a name that no method reads and no code has requested. */
export function isRead(cacheName: string): boolean {
  if (readNames.has(cacheName) || readNames.size >= CAP) return true
  // A method may get this name at its first call.
  const dot = cacheName.lastIndexOf(METHOD)
  return dot > 0 && readNames.has(cacheName.slice(dot))
}

/** The name that the user probably meant. */
export function nearestReadName(cacheName: string): string | undefined {
  return nearestName(
    cacheName,
    [...readNames].filter((name) => !name.startsWith(METHOD)),
  )
}
