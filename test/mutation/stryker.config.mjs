/** How Stryker mutates the engine, and which mutants it leaves out; `run.mjs` runs it. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// biome-ignore lint/style/noDefaultExport: Stryker reads it.
export default {
  mutate: ['packages/core/src/{cache,coherence}/**/*.ts', '!**/*.test.ts'],
  testRunner: 'vitest',
  // By path: pnpm shows a package its own dependencies only, and Stryker depends on no runner.
  plugins: [
    fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner')),
    join(import.meta.dirname, 'ignored-texts.mjs'),
  ],
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },

  // A mutant is judged by the tests that reach it, and by no more of them than it takes for one to fail.
  coverageAnalysis: 'perTest',
  /*
   * What runs once, when a module is loaded, is reached by every test: each such mutant would cost a run of all of them in
   * a new process. They are constants (a regular expression, lengths, the ids of partitions), a handful in all.
   */
  ignoreStatic: true,
  // Texts of errors and names for reports; its header says which and why.
  ignorers: ['texts'],

  concurrency: 2,
  // Only for mutants that never give the event loop back: what merely hangs fails by the tests' own timeout.
  timeoutMS: 20_000,

  tempDirName: '.stryker-tmp',
  ignorePatterns: [
    '**',
    '!packages/{core,local-store}/**',
    '!test/{mutation,policies,decorators,simulation,support}/**',
    '!tsconfig.base.json',
    'node_modules',
    'dist',
    '.stryker-tmp',
  ],

  // What neither the file nor the tests that judged it have changed since is not judged again.
  incremental: true,
  incrementalFile: 'test/mutation/.results/incremental.json',
  reporters: ['progress-append-only', 'html'],
  htmlReporter: { fileName: 'test/mutation/.results/mutation.html' },
  allowConsoleColors: false,
}
