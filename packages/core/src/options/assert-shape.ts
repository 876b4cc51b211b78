/**
 * Checks that an object has every member of a contract.
 *
 * The lists are checked against the types of the contracts: a contract that gains a member does not compile until its list has it.
 */

import { InvalidOptionError } from '../errors/option-error.ts'

type KindOf<Member> = Member extends (...args: never) => unknown
  ? 'function'
  : Member extends string
    ? 'string'
    : Member extends number
      ? 'number'
      : Member extends boolean
        ? 'boolean'
        : 'object'

/** The type that each member of a contract must have; a question mark follows that of an optional member. */
export type Shape<Contract> = {
  readonly [Name in keyof Contract]-?: undefined extends Contract[Name]
    ? `${KindOf<NonNullable<Contract[Name]>>}?`
    : KindOf<Contract[Name]>
}

/** @throws InvalidOptionError naming the first member that is missing or has another type */
export function assertShape(
  value: unknown,
  shape: Readonly<Record<string, string>>,
  { option, expected }: { readonly option: string; readonly expected: string },
): void {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidOptionError({ option, expected, received: value })
  }
  for (const [name, kind] of Object.entries(shape)) {
    const member = (value as Record<string, unknown>)[name]
    if (member === undefined && kind.endsWith('?')) continue
    const wanted = kind.replace('?', '')
    if (typeof member === wanted && member !== null) continue
    throw new InvalidOptionError({
      option: `${option}.${name}`,
      expected: `${wanted === 'object' ? 'an' : 'a'} ${wanted}, as ${expected} has`,
      received: member,
    })
  }
}
