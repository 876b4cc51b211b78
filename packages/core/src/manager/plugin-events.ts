/** Whether plugins name their events as they must. */

import type { PluginParts } from '../contracts/plugin.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

/**
 * The names of a plugin's events begin with its own: so no other plugin, and no later version of the manager, has the same.
 *
 * @throws InvalidOptionError
 */
export function assertPluginEvents(plugins: readonly PluginParts[], option: string): void {
  for (const { name, events = [] } of plugins) {
    const isOwn = (event: unknown): boolean =>
      typeof event === 'string' && event.startsWith(`${name}:`) && event.length > name.length + 1
    const isList = Array.isArray(events)
    if (isList && events.every(isOwn)) continue
    throw new InvalidOptionError({
      option: `${option}.${name}.events`,
      expected: `an array of names that begin with ${name}:`,
      received: isList ? events.find((event) => !isOwn(event)) : events,
    })
  }
}
