/** An option is wrong: the message says which, what it got and what it takes. */

import { LarderError } from './larder-error.ts'

export interface InvalidOption {
  /** Where the option stands, such as `@Cacheable(Products.find).ttl`. */
  readonly option: string
  /** What it takes, as a noun phrase. */
  readonly expected: string
  readonly received: unknown
  /** What was probably meant. */
  readonly suggestion?: string | undefined
}

/** Thrown when a decorator, factory or call is given something it cannot work with. */
export class InvalidOptionError extends LarderError {
  override readonly name = 'InvalidOptionError'
  readonly option: string

  constructor(problem: InvalidOption) {
    const hint = problem.suggestion === undefined ? '' : ` Did you mean ${problem.suggestion}?`
    super(
      'LARDER_INVALID_OPTION',
      `${problem.option} takes ${problem.expected}, but got ${describeValue(problem.received)}.${hint}`,
    )
    this.option = problem.option
  }
}

const MAX_TEXT = 40

/** Says what a value is without repeating much of it: options can hold secrets. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'string') {
    const text = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
    return `${JSON.stringify(text)} (string)`
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return `${String(value)} (${typeof value})`
  }
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` named ${value.name}`}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'symbol') return 'a symbol'
  return `an object of class ${classNameOf(value)}`
}

/** Returns the name of an object's class, without running the object's own code where possible. */
export function classNameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return 'null-prototype object'
  const constructor = (prototype as { constructor?: unknown }).constructor
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'anonymous'
}
