/**
 * Packs lua/*.lua with their includes into src/scripts.generated.ts, so that nothing is read from disk at run time.
 *
 * `--check` fails when the generated file is stale instead of writing it.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const LUA = join(ROOT, 'lua')
const TARGET = join(ROOT, 'src', 'scripts.generated.ts')
const INCLUDE = /^--- @include "([a-z-]+)"$/gm
const NAME = /^([a-z-]+)-(\d+|n)\.lua$/

/** Returns the text of the generated file. */
export function generateScripts(): string {
  const scripts = readdirSync(LUA)
    .filter((file) => file.endsWith('.lua'))
    .sort()
    .map((file) => {
      const [, name, keys] = NAME.exec(file) ?? []
      if (name === undefined) throw new Error(`${file} is not named <what>-<key count>.lua`)
      const constant = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
      return `  ${constant}: { name: '${name}', keys: ${keys === 'n' ? `'n'` : keys}, lua: ${quote(resolveIncludes(file))} },`
    })
  return [
    '/** Generated from lua/ by tools/generate-scripts.ts. Do not edit. */',
    '',
    '// biome-ignore format: generated',
    'export const SCRIPTS = {',
    ...scripts,
    '} as const',
    '',
  ].join('\n')
}

function resolveIncludes(file: string): string {
  const text = readFileSync(join(LUA, file), 'utf8')
  const included = new Set<string>()
  return text.replace(INCLUDE, (_, name: string) => {
    if (included.has(name)) throw new Error(`${file} includes ${name} twice`)
    included.add(name)
    return readFileSync(join(LUA, 'includes', `${name}.lua`), 'utf8').trimEnd()
  })
}

function quote(lua: string): string {
  return `\`${lua.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``
}

if (process.argv[1] === import.meta.filename) {
  const text = generateScripts()
  if (process.argv.includes('--check')) {
    if (readFileSync(TARGET, 'utf8') !== text) {
      process.stderr.write('src/scripts.generated.ts is stale: run `npm run generate`\n')
      process.exitCode = 1
    }
  } else writeFileSync(TARGET, text)
}
