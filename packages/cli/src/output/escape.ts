/**
 * Text of others on a terminal. Keys and tags are what callers of an application send; control characters among them could
 * move the cursor, rewrite what stands above, or set the title, and bidirectional ones reverse what is read.
 */

/** C0 and C1 controls, bidirectional and invisible formatting, line and paragraph separators, lone surrogates. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu

/** Makes control characters visible: `\x1b`, `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0)
    if (char === '\n') return '\\n'
    if (char === '\t') return '\\t'
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : asUnicode(code)
  })
}

/** JSON that says the same and has no such characters either. Maps and sets become lists, bigints texts. */
export function safeJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Map || item instanceof Set) return [...item]
    return typeof item === 'bigint' ? `${item}` : item
  })
  return (text ?? 'null').replace(UNSAFE, (char) => asUnicode(char.charCodeAt(0)))
}

function asUnicode(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
