/** The value in an event: for a listener that asks for it, and for nothing that only prints or copies events. */

/**
 * Adds `value` to an event, made when it is asked for. Not enumerable: logs, `JSON.stringify` and spreads leave it out, so
 * that data does not end up where only keys were expected.
 */
export function withValue<Event extends object>(
  event: Event,
  make: () => unknown,
): Event & { readonly value: unknown } {
  return Object.defineProperty(event, 'value', { get: make, enumerable: false }) as Event & {
    readonly value: unknown
  }
}
