/** Test runners, and Nest. */

import type { Row } from '../rows.ts'
import type { ToolSet } from '../tools.ts'

const SOURCES = { 'service.ts': 'service.ts', 'check.ts': 'check.ts', 'spec.ts': 'service.test.ts' }
const MODULE = '{ "private": true, "type": "module" }'
const PLAIN = '{ "private": true }'
const JEST = '@jest/globals'

function tsconfig(experimentalDecorators: boolean, more: object = {}): string {
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    types: ['node'],
    experimentalDecorators,
    emitDecoratorMetadata: experimentalDecorators,
    ...more,
  }
  return JSON.stringify({ compilerOptions })
}

/** As in docs/guides/compilers.md. */
const STANDARD_DECORATORS = `import { transform } from 'esbuild'
import { defineConfig } from 'vitest/config'

const standardDecorators = {
  name: 'standard-decorators',
  enforce: 'pre',
  transform: (code, id) =>
    /\\.m?ts$/.test(id)
      ? transform(code, { loader: 'ts', target: 'es2022', sourcemap: true, sourcefile: id })
      : undefined,
}

export default defineConfig({ plugins: [standardDecorators] })
`
const ESBUILD_TARGET = `import { defineConfig } from 'vitest/config'

export default defineConfig({ esbuild: { target: 'es2022' } })
`

function vitest(name: string, tools: ToolSet, isLegacy: boolean, config?: string): Row {
  return {
    name: `${name}, ${isLegacy ? 'legacy' : 'standard'} decorators`,
    tools,
    isCore: tools === 'usual',
    sources: SOURCES,
    files: {
      'package.json': MODULE,
      'tsconfig.json': tsconfig(isLegacy),
      ...(config === undefined ? {} : { 'vitest.config.js': config }),
    },
    commands: [{ line: ['vitest', 'run'], prints: '4 passed' }],
  }
}

function jest(name: string, row: Partial<Row> & Pick<Row, 'tools' | 'files'>, env = {}): Row {
  return {
    name,
    sources: SOURCES,
    runner: JEST,
    extensions: 'none',
    commands: [{ line: ['jest', '--no-cache'], env, prints: '4 passed' }],
    ...row,
  }
}

/** What \`ts-jest\` and Nest's starter make of it: nothing said about Larder. */
const TS_JEST = `module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  transform: { '\\\\.ts$': ['ts-jest', { diagnostics: false }] },
}
`
const TS_JEST_ESM = `export default {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\\\.{1,2}/.*)\\\\.js$': '$1' },
  transform: { '\\\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
}
`
const SWC_JEST = `module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  transform: {
    '\\\\.ts$': ['@swc/jest', { jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { decoratorVersion: '2022-03' },
    } }],
  },
}
`
const COMMON = { module: 'CommonJS', moduleResolution: 'node10', isolatedModules: true }

function nest(name: string, tools: ToolSet, manifest: string): Row {
  return {
    name,
    tools,
    sources: { 'service.ts': 'service.ts', 'check.ts': 'check.ts', 'nest.ts': 'nest.ts' },
    files: {
      'package.json': manifest,
      'tsconfig.json': tsconfig(true, { module: 'NodeNext', outDir: 'out', skipLibCheck: true }),
    },
    commands: [
      { line: ['tsc', '-p', 'tsconfig.json'] },
      { line: ['node', 'out/nest.js'], prints: 'checked in Nest' },
    ],
  }
}

export const runnerRows: readonly Row[] = [
  vitest('Vitest 4 on Vite 8', 'usual', false, STANDARD_DECORATORS),
  vitest('Vitest 4 on Vite 8', 'usual', true),
  vitest('Vitest 4 on Vite 7', 'vite7', false, ESBUILD_TARGET),
  vitest('Vitest 4 on Vite 7', 'vite7', true),
  ...[true, false].map((isLegacy) =>
    jest(`Jest in CommonJS, ts-jest, ${isLegacy ? 'legacy' : 'standard'} decorators`, {
      tools: 'usual',
      isCore: true,
      files: {
        'package.json': PLAIN,
        'jest.config.js': TS_JEST,
        'tsconfig.json': tsconfig(isLegacy, COMMON),
      },
    }),
  ),
  jest('Jest in CommonJS, SWC', {
    tools: 'transpilers',
    files: { 'package.json': PLAIN, 'jest.config.js': SWC_JEST },
  }),
  jest(
    'Jest in ES modules, ts-jest',
    {
      tools: 'usual',
      extensions: 'js',
      files: {
        'package.json': MODULE,
        'jest.config.js': TS_JEST_ESM,
        'tsconfig.json': tsconfig(false, { isolatedModules: true }),
      },
    },
    { NODE_OPTIONS: '--experimental-vm-modules' },
  ),
  nest('Nest 11', 'nest', PLAIN),
  nest('Nest 12, as ES modules', 'nest12', MODULE),
  nest('Nest 12, required by CommonJS', 'nest12', PLAIN),
]
