/** Many calls may listen to one signal of the user's. */

import { setMaxListeners } from 'node:events'

/**
 * Keeps Node.js from warning of a leak on stderr when more than ten calls wait under one signal, as all calls of a request or
 * of a shutdown do. Each ends its listening when it ends.
 */
export function allowListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}
