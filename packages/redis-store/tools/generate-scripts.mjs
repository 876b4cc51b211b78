/**
 * Packs lua/*.lua with their includes into src/scripts.generated.ts, so that nothing is read from disk at run time.
 *
 * The file is not in git: it says nothing that lua/ does not say, and two changes of scripts would meet in it. The root's
 * tasks and vitest's configuration write it before they begin. Plain JavaScript, because they cannot load anything else.
 */

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const LUA = join(ROOT, 'lua')
const TARGET = join(ROOT, 'src', 'scripts.generated.ts')
const INCLUDE = /^--- @include "([a-z-]+)"$/gm
const NAME = /^([a-z-]+)-(\d+|n)\.lua$/

/** Writes the generated file if it is not what lua/ says, and whole: others may be reading it. */
export function writeScripts() {
  const text = generateScripts()
  if (text === textNow()) return
  const draft = `${TARGET}.${process.pid}`
  try {
    writeFileSync(draft, text)
    renameSync(draft, TARGET)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Returns the text of the generated file. */
export function generateScripts() {
  const scripts = readdirSync(LUA)
    .filter((file) => file.endsWith('.lua'))
    .sort()
    .map((file) => {
      const [, name, keys] = NAME.exec(file) ?? []
      if (name === undefined) throw new Error(`${file} is not named <what>-<key count>.lua`)
      const constant = name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
      return `  ${constant}: { name: '${name}', keys: ${keys === 'n' ? `'n'` : keys}, lua: ${quote(resolveIncludes(file))} },`
    })
  return [
    '/** Generated from lua/ by tools/generate-scripts.mjs. Do not edit. */',
    '',
    '// biome-ignore format: generated',
    'export const SCRIPTS = {',
    ...scripts,
    '} as const',
    '',
  ].join('\n')
}

function textNow() {
  try {
    return readFileSync(TARGET, 'utf8')
  } catch {
    return undefined
  }
}

function resolveIncludes(file) {
  const text = readFileSync(join(LUA, file), 'utf8')
  const included = new Set()
  return text.replace(INCLUDE, (_, name) => {
    if (included.has(name)) throw new Error(`${file} includes ${name} twice`)
    included.add(name)
    return readFileSync(join(LUA, 'includes', `${name}.lua`), 'utf8').trimEnd()
  })
}

function quote(lua) {
  return `\`${lua.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``
}

if (process.argv[1] === import.meta.filename) writeScripts()
