/** Which caches something of this process reads, as far as that is known: to notice evictions and puts that reach nobody. */

import { nearestName } from '../options/assert-option.ts'
import { shared } from './shared-state.ts'

const { readNames } = shared
/** Marks the name of a method whose cache is named after it, once its class is known. */
const METHOD = '.'

/** Notes that a cache is read, or was asked for by name. */
export function noteReader(cacheName: string): void {
  readNames.add(cacheName)
}

/** Notes that a method reads a cache that will be named after it. */
export function noteReadingMethod(methodName: string): void {
  readNames.add(METHOD + methodName)
}

/** False for a name that no method reads and nobody has asked for. */
export function isRead(cacheName: string): boolean {
  if (readNames.has(cacheName)) return true
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
