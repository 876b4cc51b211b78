/**
 * Leaves texts alone that decide nothing: what an error says, which option it names, and what an operation, a piece of
 * background work or a place in the code is called in reports. A mutant of them would ask for a test that repeats a text.
 *
 * All other texts are mutated: verdicts, kinds, names of events and of what they carry.
 */

const NAMED_FOR_REPORTS = /^(?:assert\w*|parseDuration|evictionOutcome|tagNames)$/
/** The place of the text among the arguments; `this.#reported` and the like pass one on. */
const NAMED_FIRST = /^(?:remote|work)$/

const isText = (path) => path.isStringLiteral() || path.isTemplateLiteral()

const ignorer = {
  shouldIgnore(path) {
    if (!isText(path)) return undefined
    const owner = path.findParent((parent) => parent.isNewExpression() || parent.isCallExpression())
    if (owner === null) return undefined
    if (owner.isNewExpression()) {
      return /Error$/.test(owner.node.callee.name ?? '') ? 'what an error says' : undefined
    }
    return isNamed(owner.node, path.node) ? 'a name for reports' : undefined
  },
}

/** Tells whether a text is an argument by which a call is only named. */
function isNamed({ callee, arguments: given }, text) {
  if (!given.includes(text)) return false
  if (callee.type === 'Identifier') return NAMED_FOR_REPORTS.test(callee.name)
  if (callee.type !== 'MemberExpression') return false
  const { object, property } = callee
  if (property.type === 'PrivateName') return property.id.name === 'reported'
  return (
    property.name === 'run' &&
    NAMED_FIRST.test(object.name ?? object.property?.id?.name ?? object.property?.name ?? '')
  )
}

// What Stryker's `declareValuePlugin` returns; its API is no dependency of ours.
export const strykerPlugins = [{ kind: 'Ignore', name: 'texts', value: ignorer }]
