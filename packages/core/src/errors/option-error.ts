/** An option is wrong: the message names it, and says what it takes and what it got. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** An option with a value that it does not take. */
export interface InvalidOption {
  /** Where the option stands, such as `@Cacheable(Products.find).ttl`. */
  readonly option: string
  /** What it takes, as a noun phrase. */
  readonly expected: string
  readonly received: unknown
  /** A description of what was received, where the value itself would mislead or does not belong in a message. */
  readonly described?: string | undefined
  /** What the user probably meant. */
  readonly suggestion?: string | undefined
  /** True keeps the received text out of the message. @default by the option's name: passwords, tokens, URLs and the like */
  readonly isSecret?: boolean | undefined
  readonly cause?: unknown
}

/** An option name that does not exist. */
export interface UnknownOption {
  readonly option: string
  /** The names that do exist there. */
  readonly known: readonly string[]
  readonly suggestion?: string | undefined
}

/** Thrown when a decorator, factory or call is given something it cannot work with. */
export class InvalidOptionError extends LarderError {
  static {
    markFamily(InvalidOptionError)
  }

  readonly option: string

  constructor(problem: InvalidOption | UnknownOption) {
    super(
      'LARDER_INVALID_OPTION',
      messageOf(problem),
      'cause' in problem ? { cause: problem.cause } : {},
    )
    this.option = problem.option
  }

  override get name(): string {
    return 'InvalidOptionError'
  }
}

function messageOf(problem: InvalidOption | UnknownOption): string {
  const { option, suggestion } = problem
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`
  if ('known' in problem)
    return `${option} is not a known option.${hint} Known options are ${problem.known.join(', ')}.`
  const { received, expected, isSecret = SECRET_NAME.test(option) } = problem
  const described =
    problem.described ??
    (isSecret && typeof received === 'string' ? describeLength(received) : describeValue(received))
  return `${option} takes ${expected}, but got ${described}.${hint}`
}

const MAX_TEXT = 40
const SECRET_NAME = /(?:secret|password|passphrase|credentials?|token|url|uri|dsn|[a-z]Key)$/i
const URL_WITH_USER = /:\/\/[^/]*@/

/** Describes a value without repeating much of it, because options can hold secrets. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (URL_WITH_USER.test(value)) return describeLength(value)
      return value.length > MAX_TEXT
        ? `${JSON.stringify(value.slice(0, MAX_TEXT))}… (${describeLength(value)})`
        : `${JSON.stringify(value)} (string)`
    case 'number':
    case 'boolean':
      return `${Object.is(value, -0) ? '-0' : value} (${typeof value})`
    case 'bigint':
      return `${clip(String(value))} (bigint)`
    case 'function':
      return `a function${value.name === '' ? '' : ` named ${clip(value.name)}`}`
    case 'symbol':
      return 'a symbol'
    case 'object':
      return value === null ? 'null' : describeObject(value)
    default:
      return 'undefined'
  }
}

function describeLength(text: string): string {
  return `a string of ${text.length} characters`
}

function describeObject(value: object): string {
  try {
    return Array.isArray(value)
      ? `an array of ${value.length}`
      : `an object of class ${classNameOf(value)}`
  } catch {
    // A revoked proxy throws whenever it is looked at.
    return 'an object that cannot be read'
  }
}

/** Returns the name of an object's class, without running the object's own code where possible. */
export function classNameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return 'null-prototype object'
  const { constructor: owner } = prototype as { constructor?: unknown }
  const isNamed = typeof owner === 'function' && typeof owner.name === 'string' && owner.name !== ''
  return isNamed ? clip(owner.name) : 'anonymous'
}

function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
