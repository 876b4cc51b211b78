/** The product's source files and what each imports. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { ROOT } from '../execute.mjs'

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|\bimport\('([^']+)'\)|(?:^|\n)import '([^']+)'/g

/** TypeScript files under a folder of the repository, without tests and without what is generated. */
export function sourcesOf(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => file.endsWith('.ts') && !/\.(?:test|generated)\.ts$/.test(file))
    .filter((file) => !file.includes('node_modules/'))
    .sort()
    .map((name) => {
      const file = posix.join(folder, name)
      const text = readFileSync(join(ROOT, file), 'utf8')
      return { file, text, imports: importsOf(text) }
    })
}

/** What a text imports, type imports and re-exports included, as it is written there. */
export function importsOf(text) {
  return Array.from(text.matchAll(IMPORT), ([, a, b, c]) => a ?? b ?? c ?? '')
}

/** The files that a source imports by path, relative to the root. */
export function neighboursOf({ file, imports }) {
  return imports
    .filter((target) => target.startsWith('.'))
    .map((target) => posix.join(dirname(file), target))
}

/** Paths that lead back to where they began, each as `a → b → a`. */
export function cyclesOf(sources) {
  const targets = new Map(sources.map((source) => [source.file, neighboursOf(source)]))
  const cycles = []
  const done = new Set()
  const visit = (file, path) => {
    const at = path.indexOf(file)
    if (at >= 0) {
      cycles.push([...path.slice(at), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of targets.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of targets.keys()) visit(file, [])
  return cycles
}
