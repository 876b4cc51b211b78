/**
 * Key templates: `'product:{0}'`, `'{0.id}'`, `'{0.address.zip}'`; `{{` and `}}` are literal braces.
 *
 * Two different argument lists must never meet in one key. So a slot that is followed by more text must be followed by a
 * separator (not a letter, digit or sign, which a number could contain), and that separator is escaped inside inserted
 * strings: the end of every slot can be found again. Strings that look like another type are quoted.
 */

import { KeyError } from '../errors/key-error.ts'
import { describeValue, InvalidOptionError } from '../errors/option-error.ts'
import { keyText } from './key-text.ts'

interface Slot {
  readonly argument: number
  readonly path: readonly string[]
  readonly text: string
  /** The character that ends the slot; empty at the end of the template. */
  readonly end: string
}

const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g
const SLOT = /^(\d{1,3})((?:\.[A-Za-z_$][\w$]*)*)$/
const EXPECTED = "a template such as 'product:{0}' or '{0.id}', with {{ and }} for literal braces"
const CANNOT_SEPARATE = /^[\p{L}\p{N}+.'\\-]/u
const LOOKS_LIKE_OTHER = /^(?:-?\d|-?Infinity$|true$|false$|null$|')/

/**
 * Compiles a template into a function from arguments to key text.
 *
 * Inserted values are kept apart from each other and from other types: separators inside strings are escaped, and a
 * string that looks like a number, boolean or null is quoted.
 *
 * @throws InvalidOptionError naming `option` when the template is malformed or has no slot.
 */
export function compileTemplate(
  template: string,
  option: string,
): (args: readonly unknown[]) => string {
  const parts = parseParts(template, option)
  return (args) => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : slotText(part, args)
    return keyText(text)
  }
}

function parseParts(template: string, option: string): readonly (string | Slot)[] {
  const parts: (string | Slot)[] = []
  let next = ''
  // Backwards, because a slot has to know what follows it.
  for (const [part, slot] of [...template.matchAll(PART)].reverse()) {
    if (part === '{' || part === '}') throw malformed(template, option)
    const text = part === '{{' || part === '}}' ? part.charAt(0) : part
    if (slot === undefined || text !== part) {
      parts.unshift(text)
      next = text
      continue
    }
    const isFollowedBySlot = typeof parts[0] === 'object'
    if (isFollowedBySlot || CANNOT_SEPARATE.test(next)) throw inseparable(template, option)
    parts.unshift(parseSlot(slot, String.fromCodePoint(next.codePointAt(0) ?? 0), template, option))
    next = ''
  }
  if (!parts.some((part) => typeof part === 'object')) throw malformed(template, option)
  return parts
}

function parseSlot(slot: string, end: string, template: string, option: string): Slot {
  const [, argument, path] = SLOT.exec(slot) ?? []
  if (argument === undefined) throw malformed(template, option)
  return { argument: Number(argument), path: path?.split('.').slice(1) ?? [], text: `{${slot}}`, end }
}

function slotText(slot: Slot, args: readonly unknown[]): string {
  let value = args[slot.argument]
  for (const name of slot.path) {
    if (value === undefined || value === null) {
      throw new KeyError(`The key template part ${slot.text} has nothing to read: ${describeValue(value)} before .${name}.`)
    }
    value = (value as Record<string, unknown>)[name]
  }
  switch (typeof value) {
    case 'string':
      return stringText(value, slot.end)
    case 'number':
      return Object.is(value, -0) ? '0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
      return String(value)
    default:
      if (value === null) return 'null'
      throw new KeyError(
        `The key template part ${slot.text} is ${describeValue(value)}; it must be a string, number, bigint, boolean or null.`,
      )
  }
}

function stringText(value: string, end: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll(end, `\\${end}`)
  return LOOKS_LIKE_OTHER.test(value) || value === '' ? `'${escaped}` : escaped
}

function malformed(template: string, option: string): InvalidOptionError {
  return new InvalidOptionError({ option, expected: EXPECTED, received: template })
}

function inseparable(template: string, option: string): InvalidOptionError {
  const expected = "a template whose slots are separated, for instance by ':', and not by letters, digits or signs"
  return new InvalidOptionError({ option, expected, received: template })
}
