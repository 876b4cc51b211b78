/**
 * `node test/simulation/run.mjs --help`: starts the simulation on the sources, in one process or, with `--jobs N`, in
 * several that share the seeds.
 */

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const MAIN = join(import.meta.dirname, 'main.ts')
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const [jobs, args] = takeJobs(process.argv.slice(2))
const from = Number(argument('--from', '1'))
const seeds = Number(argument('--seeds', '5000'))

if (jobs === 1) process.exitCode = await run(args)
else {
  const shares = Array.from({ length: jobs }, (_, job) =>
    run([
      ...args,
      ...['--from', String(from + job), '--seeds', String(Math.max(0, seeds - job))],
      ...['--step', String(jobs)],
    ]),
  )
  process.exitCode = Math.max(...(await Promise.all(shares)))
}

function run(given) {
  const child = spawn(
    process.execPath,
    ['--conditions=larder-source', '--import', tsx, MAIN, ...given],
    { stdio: 'inherit' },
  )
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** The number of jobs, and the arguments without it. */
function takeJobs(given) {
  const at = given.findIndex((arg) => arg === '--jobs' || arg.startsWith('--jobs='))
  if (at < 0) return [1, given]
  const [, inline] = given[at].split('=')
  const rest = given.toSpliced(at, inline === undefined ? 2 : 1)
  return [Math.max(1, Number(inline ?? given[at + 1]) || 1), rest]
}

function argument(option, otherwise) {
  const at = args.findIndex((arg) => arg === option || arg.startsWith(`${option}=`))
  if (at < 0) return otherwise
  return args[at].split('=')[1] ?? args[at + 1] ?? otherwise
}
