/** Compilers, in both kinds of decorators. */

import type { Command, Row } from '../rows.ts'
import type { ToolSet } from '../tools.ts'

const SOURCES = { 'service.ts': 'service.ts', 'check.ts': 'check.ts', 'main.ts': 'main.ts' }
const MODULE = '{ "private": true, "type": "module" }'
const MODES = { standard: false, legacy: true } as const
const CHECKED = 'checked in process'

function tsconfig(mode: keyof typeof MODES, module: string, outDir: string): string {
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
    files: ['main.ts'],
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
  esbuild('standard'),
  esbuild('legacy'),
  transpiled('SWC', SWC, ['2022-03', '2023-11', 'legacy']),
  transpiled('Babel', BABEL, ['2023-11', '2023-05', 'legacy']),
]
