/** The edits of an ablation: what takes a mechanism out of the sources. */

/** Every edit of an ablation, the first one first. */
export function editsOf({ file, find, replace, also = [] }) {
  return [{ file, find, replace }, ...also]
}

/** Returns the text of a file without what an edit takes out. @throws Error when the text to replace is not in it. */
export function applyEdit(name, { file, find, replace }, text) {
  if (!text.includes(find)) throw new Error(`${name}: ${file} no longer has: ${find}`)
  return text.replaceAll(find, replace)
}
