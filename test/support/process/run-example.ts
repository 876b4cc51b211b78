/** Runs an example as a program, from the sources. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const EXAMPLES = join(import.meta.dirname, '../../../examples')

/** How long an example may take on a busy machine, ms. */
export const LONGEST_EXAMPLE_MS = 120_000

/** Returns what it prints. `env` is beside this process' own, without its `REDIS_URL`. Rejects when it fails. */
export async function runExample(
  example: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { REDIS_URL: _url, ...rest } = process.env
  const args = ['--conditions=larder-source', '--import', 'tsx', `${example}/main.ts`]
  const how = { cwd: EXAMPLES, env: { ...rest, ...env }, timeout: LONGEST_EXAMPLE_MS }
  const { stdout } = await promisify(execFile)(process.execPath, args, how)
  return stdout
}
