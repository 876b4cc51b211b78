/**
 * The door for decorators and integrations: what only they need of a manager, its locks and its limiters. It is behind a symbol,
 * so that an editor does not offer it to users of a cache. All copies of this package in a process share the symbol. Not covered
 * by semantic versioning.
 */
export const INTERNALS: unique symbol = Symbol.for('larder.internals')
