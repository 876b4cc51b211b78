/** Only pnpm packs: the tarballs of others would say `catalog:`, and could not be installed. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')

it.each(readdirSync(join(ROOT, 'packages')))(
  'npm refuses to pack %s and says what to use',
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-npm-pack-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const { status, stderr } = spawnSync('npm', ['pack', '--pack-destination', folder], {
      cwd: join(ROOT, 'packages', name),
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    expect(stderr).toContain('Use pnpm pack or pnpm publish')
    expect(status).not.toBe(0)
    expect(readdirSync(folder)).toEqual([])
  },
)
