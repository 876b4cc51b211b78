/**
 * Checks the packages as npm would get them: built from clean, packed by pnpm (which replaces `workspace:` and `catalog:`),
 * then looked at by publint and are-the-types-wrong, and each entry imported from its built files.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, fail, ROOT, tool } from './execute.mjs'
import { build, manifestOf, PACKAGES, pack } from './packages.mjs'

/** What must not be in a tarball. */
const FOREIGN = /\.test\.[cm]?[jt]s|\.tsbuildinfo$|\/node_modules\//

/** What git ignores and a tarball must hold all the same. */
const GENERATED = {
  'redis-store': [
    'src/scripts.generated.ts',
    'dist/scripts.generated.js',
    'dist/cjs/scripts.generated.js',
  ],
}

/** A bundler gives classes other names, if it is let, and `constructor.name` tells them. */
const ASSERT_NAMES = `function assertNames(entry) {
  for (const [name, value] of Object.entries(entry))
    if (/^[A-Z][a-z]/.test(name) && typeof value === 'function' && value.name !== name)
      throw new Error(name + ' is named ' + value.name)
}
`

export async function checkPackages() {
  // A file that is no longer built would be packed as long as it lies there.
  for (const name of PACKAGES)
    rmSync(join(ROOT, 'packages', name, 'dist'), { recursive: true, force: true })
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'larder-pack-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const tarballs = await pack(folder)
  for (const name of PACKAGES) await checkTarball(name, tarballs[name])
  for (const name of PACKAGES) await importEntries(name)
}

async function checkTarball(name, tarball) {
  const files = untar(['-tzf', tarball]).split('\n')
  const foreign = files.filter((file) => FOREIGN.test(file))
  if (foreign.length > 0) fail(`The tarball of ${name} holds ${foreign.join(', ')}`)
  const missing = (GENERATED[name] ?? []).filter((file) => !files.includes(`package/${file}`))
  if (missing.length > 0) fail(`The tarball of ${name} lacks ${missing.join(', ')}`)
  const unresolved = untar(['-xOzf', tarball, 'package/package.json']).match(
    /"(workspace|catalog):/,
  )
  if (unresolved !== null) fail(`The packed package.json of ${name} still says ${unresolved[1]}:`)
  await tool('publint', ['--strict', tarball])
  // All ways to resolve but the one of Node 10, which knows no `exports`.
  await tool('attw', [tarball, '--profile', 'node16'])
}

/** Without the source condition, as a user's Node would; a process that doesn't end by itself holds something open. */
async function importEntries(name) {
  const manifest = manifestOf(name)
  const entries = Object.keys(manifest.exports).map((path) => manifest.name + path.slice(1))
  const script = entries.map((entry) => `assertNames(await import('${entry}'))`).join(';')
  await execute(process.execPath, ['--input-type=module', '--eval', ASSERT_NAMES + script], {
    cwd: join(ROOT, 'packages', name),
  })
  process.stdout.write(`imports: ${entries.join(', ')}\n`)
}

function untar(args) {
  return execFileSync('tar', args, { encoding: 'utf8' })
}
