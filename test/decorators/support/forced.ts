/** Applies decorators to what they do not compile on. */

// biome-ignore lint/suspicious/noExplicitAny: what a decorator returns is decided by what it stands on.
type AnyDecorator = (...args: any[]) => any

/** Hides a decorator's types, as a caller in plain JavaScript would. */
export function forced(decorator: unknown): AnyDecorator {
  return decorator as AnyDecorator
}
