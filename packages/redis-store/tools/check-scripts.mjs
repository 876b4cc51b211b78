/** What a script's header has to say: a line for each key and argument that the script reads, and what it returns. */

const DECLARED = /^ {2}(KEYS|ARGV)\[(\d+)(\.\.)?\] +\S/gm
const READ = /\b(KEYS|ARGV)\[(\d+)\]/g

/** Returns what is wrong with a script: its key count as in its file's name, its text with the includes resolved. */
export function faultsOf(keyCount, lua) {
  const end = lua.indexOf(']]')
  const header = lua.slice(0, end)
  const faults = []
  if (!/^--\[\[ [A-Z]/.test(lua)) faults.push('does not begin with --[[ and a sentence')
  if (!/^ {2}Returns /m.test(header)) faults.push('does not say what it returns')
  for (const list of ['KEYS', 'ARGV']) faults.push(...faultsOfList(list, header, lua.slice(end)))
  const keys = Array.from(header.matchAll(DECLARED)).filter(([, list]) => list === 'KEYS')
  const isOpen = keys.at(-1)?.[3] !== undefined
  if (isOpen !== (keyCount === 'n') || (!isOpen && keys.length !== keyCount))
    faults.push(
      `is named for ${keyCount} keys and declares ${keys.length}${isOpen ? ' or more' : ''}`,
    )
  return faults
}

function faultsOfList(list, header, body) {
  const declared = Array.from(header.matchAll(DECLARED)).filter(([, of]) => of === list)
  const mentions = header.match(new RegExp(`\\b${list}\\[`, 'g')) ?? []
  const faults = []
  if (mentions.length !== declared.length) faults.push(`has no line of its own for each of ${list}`)
  for (const [i, [, , number, isLast]] of declared.entries()) {
    if (Number(number) !== i + 1) faults.push(`declares ${list}[${number}] where ${i + 1} is next`)
    if (isLast !== undefined && i < declared.length - 1)
      faults.push(`declares ${list} after the open end`)
  }
  const isOpen = declared.at(-1)?.[3] !== undefined
  for (const [, of, number] of body.matchAll(READ)) {
    if (of !== list || Number(number) <= declared.length || isOpen) continue
    faults.push(`reads ${list}[${number}], which its header does not declare`)
  }
  return [...new Set(faults)]
}
