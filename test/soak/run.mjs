/** Runs the soak with what it needs: sources, and a garbage collector that can be called. `--quick` for a minute. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const file = join(import.meta.dirname, 'soak.ts')
const options = ['--expose-gc', '--conditions', 'larder-source', '--import', 'tsx']
const { status } = spawnSync(process.execPath, [...options, file, ...process.argv.slice(2)], {
  cwd: join(import.meta.dirname, '..'),
  stdio: 'inherit',
})
process.exitCode = status ?? 1
