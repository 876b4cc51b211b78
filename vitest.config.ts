import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Alias } from 'vite'
import { defineConfig } from 'vitest/config'
import { writeScripts } from './packages/redis-store/tools/generate-scripts.mjs'

// Not in git; so `npx vitest` needs no step before it, and no test runs on a stale one.
writeScripts()

/** Workspace packages are read from their sources, so that no build is needed to run tests. */
const resolve = { conditions: ['larder-source'] }
const ssr = { resolve: { conditions: ['larder-source'], externalConditions: ['larder-source'] } }

const common = {
  environment: 'node',
  pool: 'forks',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // A rejection nobody handles is a defect, in a test as in the code.
  dangerouslyIgnoreUnhandledErrors: false,
} as const

const globalSetup = ['./test/support/global-setup.ts']

/** Which kind of decorators esbuild lowers to. */
function decorators(experimental: boolean) {
  return {
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: experimental, target: 'ES2022' } },
  } as const
}

/** Nest from the packages of one folder, whoever imports it: the tests are the same for both majors. */
function nestFrom(folder: string): Alias {
  const { resolve: find } = createRequire(join(import.meta.dirname, folder, 'importer.js'))
  return { find: /^(@nestjs\/.*)$/, replacement: '$1', customResolver: (id) => find(id) }
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        resolve,
        ssr,
        esbuild: decorators(false),
        test: {
          ...common,
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          exclude: ['**/*.redis.test.ts', '**/node_modules/**'],
        },
      },
      {
        resolve,
        ssr,
        esbuild: decorators(false),
        test: {
          ...common,
          name: 'redis',
          globalSetup,
          include: ['test/**/*.test.ts', 'packages/*/src/**/*.redis.test.ts'],
          exclude: [
            'test/decorators/**',
            'test/simulation/**',
            'test/nest/**',
            '**/node_modules/**',
          ],
        },
      },
      ...[false, true].map((experimental) => ({
        resolve,
        ssr,
        esbuild: decorators(experimental),
        test: {
          ...common,
          name: experimental ? 'decorators-legacy' : 'decorators-standard',
          env: { DECORATORS: experimental ? 'legacy' : 'standard' },
          include: ['test/decorators/**/*.test.ts'],
        },
      })),
      // Nest takes legacy decorators only.
      ...[11, 12].map((major) => ({
        resolve: {
          ...resolve,
          alias: [nestFrom(major === 12 ? 'test/nest' : 'test/nest/nest-11')],
        },
        ssr,
        esbuild: decorators(true),
        test: {
          ...common,
          name: `nest-${major}`,
          env: { NEST: `${major}` },
          globalSetup,
          include: ['test/nest/*.test.ts'],
        },
      })),
    ],
  },
})
