/**
 * Key templates: `'product:{0}'`, `'{0.id}'`, `'{0.address.zip}'`; `{{` and `}}` are literal braces.
 *
 * Two different lists of slot values must never give the same key. The character that follows a slot is escaped inside the
 * slot's text, so the end of every slot can be found again. A string that looks like a value of another type, such as
 * `'42'`, is marked by a leading quote.
 */

import { KeyError } from '../errors/key-error.ts'
import { describeValue, InvalidOptionError } from '../errors/option-error.ts'
import { fitKey } from './key-text.ts'

interface Slot {
  readonly argument: number
  readonly path: readonly string[]
  /** As written, for messages. */
  readonly text: string
  /** The character that ends the slot; empty at the end of the template. */
  readonly end: string
}

const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g
const SLOT = /^(0|[1-9]\d?)((?:\.[A-Za-z_$][\w$]*)*)$/
const LOOKS_LIKE_OTHER =
  /^(?:'.*|-?\d+(?:\.\d+)?(?:e[+-]\d+)?|-?\d+n|-?Infinity|NaN|true|false|null|undefined|)$/s

/**
 * Compiles a template into a function from arguments to key text.
 *
 * The function throws KeyError where a slot cannot be read (a missing property, or a property of `null` or `undefined`) and
 * where the slot's value is anything but a string, number, bigint, boolean, `null` or `undefined`. An omitted argument is
 * `undefined`.
 *
 * @throws InvalidOptionError naming `option` when the template is malformed, has no slot, or has slots with nothing between.
 * @example compileTemplate('product:{0.id}', 'key')([{ id: 42 }]) // 'product:42'
 */
export function compileTemplate(
  template: string,
  option: string,
): (args: readonly unknown[]) => string {
  const parts = parseTemplate(template, option)
  return (args) => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : slotText(part, args)
    return fitKey(text)
  }
}

function parseTemplate(template: unknown, option: string): readonly (string | Slot)[] {
  const takes = (expected: string): InvalidOptionError => {
    return new InvalidOptionError({ option, expected, received: template })
  }
  const malformed =
    "a template such as 'product:{0}' or '{0.id}', with {{ and }} for literal braces"
  if (typeof template !== 'string' || !template.isWellFormed()) throw takes(malformed)
  const parts: (string | Slot)[] = []
  let next = ''
  // Backwards, because a slot must know what follows it.
  for (const [part, slot] of [...template.matchAll(PART)].reverse()) {
    if (part === '{' || part === '}') throw takes(malformed)
    if (slot === undefined) {
      next = part === '{{' || part === '}}' ? part.charAt(0) : part
      parts.unshift(next)
      continue
    }
    const parsed = parseSlot(slot, next)
    if (parsed === undefined) throw takes(malformed)
    // After an escape character, an end that is a backslash could not be distinguished from an escaped one.
    if (parsed.end === '\\') throw takes('a template with no backslash right after a slot')
    if (typeof parts[0] === 'object')
      throw takes("a template with text between its slots, such as '{0}:{1}'")
    parts.unshift(parsed)
    next = ''
  }
  // Braces were probably forgotten, and then all calls would share one entry.
  if (parts.every((part) => typeof part === 'string')) {
    throw takes(
      "a template with a slot, such as 'product:{0}' (for one key for all calls, give a function)",
    )
  }
  return parts
}

function parseSlot(slot: string, next: string): Slot | undefined {
  const [, argument, path = ''] = SLOT.exec(slot) ?? []
  if (argument === undefined) return undefined
  const [end = ''] = next
  return { argument: Number(argument), path: path.split('.').slice(1), text: `{${slot}}`, end }
}

function slotText(slot: Slot, args: readonly unknown[]): string {
  const value = readSlot(slot, args)
  const text = typeof value === 'string' ? stringText(value) : otherText(value, slot)
  const { end } = slot
  if (end === '' || !(text.includes(end) || text.includes('\\'))) return text
  return text.replaceAll('\\', '\\\\').replaceAll(end, `\\${end}`)
}

function readSlot(slot: Slot, args: readonly unknown[]): unknown {
  let value = args[slot.argument]
  for (const name of slot.path) {
    if (value === undefined || value === null) {
      throw new KeyError(
        `The key template slot ${slot.text} cannot be read: ${value} has no property ${name}.`,
      )
    }
    const found = (value as Record<string, unknown>)[name]
    // A misspelt property would give every call the same key; so an absent property is an error, and undefined is a value.
    if (found === undefined && !(name in Object(value))) {
      throw new KeyError(
        `The key template slot ${slot.text} cannot be read: there is no property ${name}. Where it is optional, give a key function.`,
      )
    }
    value = found
  }
  return value
}

function stringText(value: string): string {
  return LOOKS_LIKE_OTHER.test(value) ? `'${value}` : value
}

function otherText(value: unknown, slot: Slot): string {
  switch (typeof value) {
    case 'bigint':
      return `${value}n`
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
  }
  if (value === null) return 'null'
  throw new KeyError(
    `The key template slot ${slot.text} is ${describeValue(value)}; it must be a string, number, bigint, boolean, null or undefined.`,
  )
}
