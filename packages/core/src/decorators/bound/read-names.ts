/** Which caches something of this process reads, as far as that is known: to notice evictions and puts that reach nobody. */

import { shared } from '../../lifecycle/shared-state.ts'
import { nearestName } from '../../options/assert-option.ts'

const { readNames } = shared
/** Marks the name of a method whose cache is named after it, once its class is known. */
const METHOD = '.'
/** Names may be made of what users type: past so many, every name counts as read. */
const CAP = 10_000

/** Notes that a cache is read, or was asked for by name. */
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

/** False for a name that no method reads and nobody has asked for. */
export function isRead(cacheName: string): boolean {
  if (readNames.has(cacheName) || readNames.size >= CAP) return true
  // It may be the name that a method gets at its first call.
  const dot = cacheName.lastIndexOf(METHOD)
  return dot > 0 && readNames.has(cacheName.slice(dot))
}

/** The name that was probably meant. */
export function nearestReadName(cacheName: string): string | undefined {
  return nearestName(
    cacheName,
    [...readNames].filter((name) => !name.startsWith(METHOD)),
  )
}
