/**
 * The door for decorators and integrations: what they need of a manager, its locks and its limiters, and what nobody else
 * does. Behind a symbol, so that it is not among what an editor offers to those who use a cache. One symbol for all copies
 * of this package in a process. Not part of what versions promise.
 */
export const INTERNALS: unique symbol = Symbol.for('larder.internals')
