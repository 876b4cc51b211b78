/** Reads the fields of an interface from its source: name, type, docstring, default. */

/**
 * @param source text of a TypeScript file, formatted as this repository is: fields are indented by two spaces
 * @param name of an interface in it
 * @returns its own fields in order, without those of the interfaces it extends
 */
export function fieldsOf(source, name) {
  const start = source.search(new RegExp(`^export interface ${name}\\b`, 'm'))
  if (start < 0) throw new Error(`There is no interface ${name}`)
  const from = source.indexOf('{\n', start) + 2
  const body = source.slice(from, source.indexOf('\n}', from))
  const fields = []
  let doc = []
  let isDoc = false
  for (const line of body.split('\n')) {
    if (line.startsWith('  /**')) {
      isDoc = true
      doc = []
    }
    if (isDoc) {
      doc.push(line)
      isDoc = !line.includes('*/')
    } else if (line.startsWith('  readonly ')) {
      fields.push({ ...explained(doc.join('\n')), text: line.trim() })
      doc = []
    } else {
      const last = fields.at(-1)
      if (last !== undefined) last.text += ` ${line.trim()}`
    }
  }
  return fields.map(({ text, ...rest }) => ({ ...declared(text), ...rest }))
}

function declared(text) {
  const [, name = '', optional, type = ''] = /^readonly ([\w']+)(\?)?: (.*)$/s.exec(text) ?? []
  const plain = type
    .replace(/(?:^| )\| undefined$/, '')
    .replace(/^\| /, '')
    .trim()
  // What stands in parentheses only because of the `undefined` that went.
  const isWrapped = plain.startsWith('((') && plain.endsWith(')')
  return { name, isOptional: optional === '?', type: isWrapped ? plain.slice(1, -1) : plain }
}

/** What a docstring says, in one line, and what it says is the default. */
function explained(doc) {
  const text = doc
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
  const [meaning = '', standard] = text.split(/ ?@default /)
  return { meaning: meaning.trim(), standard: standard?.trim() }
}
