/** What stands around the text of a default key, and the way back from such a key to the argument it was made of. */

/** A default key is `before`, the text of the arguments, `after`. */
export interface KeyFrame {
  readonly before: string
  readonly after: string
}

export const NO_FRAME: KeyFrame = { before: '', after: '' }

/** An argument that is the whole of a method's arguments, and says by itself which entry is meant. */
export type SoleArgument = string | number

/** Longer texts are not worth remembering: they cost more memory than they save time. */
const MOST_BRIEF = 200

/** True for a text that is short enough to be remembered, and for numbers. */
export function isSoleArgument(argument: unknown): argument is SoleArgument {
  if (typeof argument === 'string') return argument.length <= MOST_BRIEF
  return typeof argument === 'number'
}

/**
 * Returns the argument that a default key was made of, if it was a single text or number. For any other key
 * the answer may be wrong: compare before you keep something by argument.
 */
export function soleArgumentOf(key: string, { before, after }: KeyFrame): SoleArgument | undefined {
  const end = key.length - after.length
  if (!key.startsWith(before) || !key.endsWith(after) || end <= before.length) return undefined
  const text = key.slice(before.length, end)
  return text.startsWith("'") ? text.slice(1) : Number(text.slice(1, -1))
}
