/**
 * The tests that judge a mutant: those that run in memory, in one process.
 *
 * No Redis, no workers, no other processes, no time but a manual clock's: mutants are judged by the thousand, side by side,
 * and a test that waits for something outside would call a slow machine a kill. So the score says what these tests notice;
 * `npm test` notices more.
 */

import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const ROOT = join(import.meta.dirname, '..', '..')

/**
 * By path and not by the `larder-source` condition: the mutated copy has the links between the packages of the checkout it
 * was copied from, so by name the tests would find sources without mutants.
 */
const alias = ['core', 'local-store'].flatMap((name) => [
  {
    find: `@larder/${name}/testing`,
    replacement: join(ROOT, `packages/${name}/src/testing/index.ts`),
  },
  { find: `@larder/${name}`, replacement: join(ROOT, `packages/${name}/src/index.ts`) },
])

// biome-ignore lint/style/noDefaultExport: Vitest reads it.
export default defineConfig({
  root: ROOT,
  resolve: { alias },
  esbuild: {
    target: 'es2022',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: false, target: 'ES2022' } },
  },
  test: {
    environment: 'node',
    env: { DECORATORS: 'standard' },
    pool: 'threads',
    // Loading the engine anew for every file of tests would take longer than the tests do.
    isolate: false,
    // What a mutant leaves hanging is found out by this. The slowest test takes a second where nothing else runs.
    testTimeout: 5_000,
    hookTimeout: 5_000,
    include: [
      'packages/core/src/{cache,coherence,entry,remote}/**/*.test.ts',
      'test/policies/**/*.test.ts',
      'test/decorators/**/*.test.ts',
      'test/simulation/found/**/*.test.ts',
      'test/mutation/seeds.mutation.ts',
    ],
  },
})
