/** The README: its first program runs, its install line has the peers, its figures are those of the duel. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { blocksOf, codeIn, PACKAGE_PAGES, ROOT, readPage, rowsOf, sectionOf } from './pages.ts'

interface Manifest {
  readonly name: string
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

const manifests = PACKAGE_PAGES.map(
  (page) => JSON.parse(readPage(page.replace('README.md', 'package.json'))) as Manifest,
)

it.each(['README.md', ...PACKAGE_PAGES])(
  'the install line of %s has the packages and their peers',
  (page) => {
    const [, names = ''] = /^npm install (@larder.*)$/m.exec(blocksOf(page, 'sh').join('\n')) ?? []
    const installed = names.split(' ')
    const ours = installed.filter((name) => name.startsWith('@larder/'))
    const peers = manifests
      .filter(({ name }) => ours.includes(name))
      .flatMap(({ peerDependencies = {}, peerDependenciesMeta: meta = {} }) =>
        // A framework is there already where a subpath for it is of use.
        Object.keys(peerDependencies).filter((peer) => meta[peer]?.optional !== true),
      )
    expect(ours.length).toBeGreaterThan(0)
    for (const name of ours) expect(manifests.map((manifest) => manifest.name)).toContain(name)
    expect(installed.filter((name) => !ours.includes(name)).sort()).toEqual(
      [...new Set(peers)].sort(),
    )
    const own = PACKAGE_PAGES.indexOf(page)
    if (own >= 0) expect(ours).toContain(manifests[own]?.name)
  },
)

it('the first program prints what the page says', () => {
  const folder = mkdtempSync(join(import.meta.dirname, 'steps-'))
  try {
    writeFileSync(join(folder, 'app.ts'), blocksOf('README.md', 'ts')[0] ?? '')
    const args = ['--conditions=larder-source', '--import', 'tsx', 'app.ts']
    const printed = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    expect(printed).toBe(blocksOf('README.md', 'text')[0])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

interface Row {
  readonly contestant: string
  readonly verdict?: {
    readonly staleOwn: number
    readonly staleAtRest: number
    readonly slowestMs: number
  }
}

it('the figures are those of the recorded duel', () => {
  const rows = JSON.parse(readPage('bench/results/duel.json')) as readonly Row[]
  const figures = [...new Set(rows.map(({ contestant }) => contestant))].map((contestant) => {
    const of = rows.filter((row) => row.contestant === contestant)
    const verdicts = of.flatMap(({ verdict }) => (verdict === undefined ? [] : [verdict]))
    const unfinished = of.length - verdicts.length
    return [
      unfinished === 0 ? contestant : `${contestant} (did not finish one scenario)`,
      `${verdicts.reduce((sum, { staleOwn }) => sum + staleOwn, 0)}`,
      `${verdicts.reduce((sum, { staleAtRest }) => sum + staleAtRest, 0)}`,
      `${Math.round(Math.max(...verdicts.map(({ slowestMs }) => slowestMs)))}`,
    ]
  })
  expect(rowsOf(sectionOf('README.md', '## Why this one'))).toEqual(figures)
})

it('each guarantee names the tests that hold it', () => {
  const rows = rowsOf(sectionOf('README.md', '## What is guaranteed, and when'))
  expect(rows.length).toBeGreaterThan(5)
  for (const [what, , , heldBy] of rows) {
    expect(codeIn(heldBy), what).not.toEqual([])
    for (const folder of codeIn(heldBy)) expect(existsSync(join(ROOT, folder)), folder).toBe(true)
  }
})
