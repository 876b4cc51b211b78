/** Compilers, in both kinds of decorators. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Row } from '../rows.ts'
import type { ToolSet } from '../tools.ts'

const SOURCES = { 'service.ts': 'service.ts', 'check.ts': 'check.ts', 'main.ts': 'main.ts' }
const MODULE = '{ "private": true, "type": "module" }'
const MODES = { standard: false, legacy: true } as const
const CHECKED = 'checked in process'

function tsconfig(
  mode: keyof typeof MODES,
  module: string,
  outDir: string,
  files: readonly string[] = ['main.ts'],
): string {
  const experimentalDecorators = MODES[mode]
  return JSON.stringify({
    compilerOptions: {
      target: 'ES2022',
      module,
      outDir,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      // Our declarations are checked as well.
      skipLibCheck: false,
      types: ['node'],
      experimentalDecorators,
      ...(experimentalDecorators ? { emitDecoratorMetadata: true } : {}),
    },
    files,
  })
}

/** Both kinds, as ES modules; and as CommonJS under `node16`, which knows no `require` of ES modules. */
function tsc(name: string, tools: ToolSet, isCore = false): readonly Row[] {
  const modes = Object.keys(MODES) as (keyof typeof MODES)[]
  return [
    {
      name: `${name}, ES modules`,
      tools,
      isCore,
      sources: SOURCES,
      files: {
        'package.json': MODULE,
        ...Object.fromEntries(
          modes.map((mode) => [`tsconfig.${mode}.json`, tsconfig(mode, 'NodeNext', `out/${mode}`)]),
        ),
      },
      commands: modes.flatMap((mode) => [
        { line: ['tsc', '-p', `tsconfig.${mode}.json`] },
        { line: ['node', `out/${mode}/main.js`], prints: CHECKED },
      ]),
    },
    {
      name: `${name}, CommonJS`,
      tools,
      isCore,
      sources: SOURCES,
      files: {
        'package.json': '{ "private": true }',
        'tsconfig.json': tsconfig('standard', 'Node16', 'out'),
      },
      commands: [
        { line: ['tsc', '-p', 'tsconfig.json'] },
        { line: ['node', 'out/main.js'], prints: CHECKED },
      ],
    },
  ]
}

const TYPES_FOLDER = join(import.meta.dirname, '../../types')
/** What is imported from another package than ours needs what these projects do not install; rows of its own check it. */
const FOREIGN_IMPORT = / from '(?!@larder\/|node:|\.)/
const TYPES = readdirSync(TYPES_FOLDER).filter(
  (file) =>
    file.endsWith('.test-d.ts') &&
    !FOREIGN_IMPORT.test(readFileSync(join(TYPES_FOLDER, file), 'utf8')),
)
/** Where TypeScript 5.4 does not look through the type parameters of a class; docs/guides/compilers.md says the way out. */
const GENERIC = 'generic.test-d.ts'

/** What compiles and what does not, and what the compiler says then. */
function types(name: string, tools: ToolSet, isOldest = false): Row {
  const modes = Object.keys(MODES) as (keyof typeof MODES)[]
  const filesOf = (mode: string): readonly string[] =>
    TYPES.filter((file) => !(isOldest && mode === 'standard' && file === GENERIC))
  return {
    name: `${name}, types and messages`,
    tools,
    sources: {
      ...Object.fromEntries(TYPES.map((file) => [`../../types/${file}`, file])),
      '../../types/messages/mistakes.ts': 'messages/mistakes.ts',
      '../../types/messages/check.mjs': 'messages/check.mjs',
    },
    files: {
      'package.json': MODULE,
      ...Object.fromEntries(
        modes.flatMap((mode) => [
          [`tsconfig.${mode}.json`, tsconfig(mode, 'NodeNext', 'out', filesOf(mode))],
          [`messages/tsconfig.${mode}.json`, tsconfig(mode, 'NodeNext', 'out', ['mistakes.ts'])],
        ]),
      ),
    },
    commands: [
      ...modes.map((mode) => ({ line: ['tsc', '--noEmit', '-p', `tsconfig.${mode}.json`] })),
      // 5.4 says less of what did not fit.
      ...(isOldest ? [] : [saysCures(modes)]),
    ],
  }
}

function saysCures(modes: readonly string[]): Command {
  const projects = modes.map((mode) => `messages/tsconfig.${mode}.json`)
  return {
    line: ['node', 'messages/check.mjs', '../node_modules/.bin/tsc', ...projects],
    prints: 'leads to its cure',
  }
}

const ES2022 = ['--platform=node', '--target=es2022']
const BANNER =
  "--banner:js=import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url)"

function esbuild(mode: keyof typeof MODES): Row {
  const bundle = (out: string, ...more: readonly string[]): readonly Command[] => [
    { line: ['esbuild', 'main.ts', '--bundle', `--outfile=${out}`, ...ES2022, ...more] },
    {
      line: ['node', out],
      env: { MINIFIED: String(more.includes('--minify')) },
      prints: CHECKED,
    },
  ]
  return {
    name: `esbuild, ${mode} decorators`,
    tools: 'usual',
    isCore: true,
    sources: SOURCES,
    files: { 'package.json': MODULE, 'tsconfig.json': tsconfig(mode, 'NodeNext', 'out') },
    commands: [
      { line: ['esbuild', 'main.ts', 'check.ts', 'service.ts', '--outdir=out', ...ES2022] },
      { line: ['node', 'out/main.js'], prints: CHECKED },
      ...bundle('out/external.mjs', '--format=esm', '--packages=external', '--minify'),
      ...bundle('out/one.mjs', '--format=esm', '--minify', BANNER),
      ...bundle('out/one.cjs', '--format=cjs'),
    ],
  }
}

/** Transpiles the sources by a script; the kind of decorators is an argument. */
function transpiled(name: string, script: string, modes: readonly string[]): Row {
  return {
    name,
    tools: 'transpilers',
    sources: SOURCES,
    files: { 'package.json': MODULE, 'build.mjs': script },
    commands: modes.flatMap((mode) => [
      { line: ['node', 'build.mjs', mode] },
      { line: ['node', 'out/main.js'], prints: CHECKED },
    ]),
  }
}

const EACH_SOURCE = `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
mkdirSync('out', { recursive: true })
const mode = process.argv[2]
for (const name of ['service', 'check', 'main']) {
  const code = readFileSync(name + '.ts', 'utf8')
  writeFileSync('out/' + name + '.js', transpile(code, name + '.ts'))
}
`

const SWC = `import { transformSync } from '@swc/core'
${EACH_SOURCE}
function transpile(code, filename) {
  const kind = mode === 'legacy' ? { legacyDecorator: true, decoratorMetadata: true } : { decoratorVersion: mode }
  return transformSync(code, {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform: kind },
    module: { type: 'es6' },
  }).code
}
`

const BABEL = `import { transformSync } from '@babel/core'
${EACH_SOURCE}
function transpile(code, filename) {
  const kind = mode === 'legacy' ? { legacy: true } : { version: mode }
  return transformSync(code, {
    filename,
    presets: [['@babel/preset-typescript', { onlyRemoveTypeImports: false }]],
    plugins: [['@babel/plugin-proposal-decorators', kind]],
  }).code
}
`

export const compilerRows: readonly Row[] = [
  ...tsc('TypeScript 5.9', 'usual', true),
  ...tsc('TypeScript 5.4', 'oldest'),
  ...tsc('TypeScript 7', 'newest'),
  types('TypeScript 5.4', 'oldest', true),
  types('TypeScript 5.9', 'usual'),
  types('TypeScript 7', 'newest'),
  esbuild('standard'),
  esbuild('legacy'),
  transpiled('SWC', SWC, ['2022-03', '2023-11', 'legacy']),
  transpiled('Babel', BABEL, ['2023-11', '2023-05', 'legacy']),
]
