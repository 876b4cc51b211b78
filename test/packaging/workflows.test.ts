/** What `.github` says exists: npm scripts, actions, Node versions, events. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '..', '..')
const GITHUB = join(ROOT, '.github')

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

const files = readdirSync(GITHUB, { recursive: true, encoding: 'utf8' }).map((file) =>
  join('.github', file),
)
const yamlFiles = files.filter((file) => file.endsWith('.yml'))
const workflows = yamlFiles.filter((file) => file.includes('workflows'))
const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
}

interface Workflow {
  readonly jobs: Readonly<Record<string, Job>>
}

interface Job {
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[]
  readonly strategy?: { readonly matrix: { readonly node?: readonly number[] } }
}

const jobsOf = (file: string): readonly Job[] => Object.values((parse(read(file)) as Workflow).jobs)

it.each(yamlFiles)('%s is YAML', (file) => {
  expect(parse(read(file))).toBeTypeOf('object')
})

describe.each(workflows)('%s', (file) => {
  it('runs what exists', () => {
    const steps = jobsOf(file).flatMap((job) => job.steps)
    expect(steps.length).toBeGreaterThan(0)
    for (const [, name] of read(file).matchAll(/npm run ([\w:-]+)/g))
      expect(manifest.scripts).toHaveProperty([name ?? ''])
    for (const { uses = '', run = '' } of steps) {
      if (uses.startsWith('./')) expect(existsSync(join(ROOT, uses, 'action.yml')), uses).toBe(true)
      if (run.startsWith('.ci/')) expect(existsSync(join(ROOT, run)), run).toBe(true)
    }
  })
})

it('CI runs on every Node line that the packages promise', () => {
  const promised = Array.from(manifest.engines.node.matchAll(/(\d+)/g), ([major]) => Number(major))
  const majors = promised.filter((major) => [20, 22, 24].includes(major))
  expect(jobsOf('.github/workflows/ci.yml')[0]?.strategy?.matrix.node).toEqual(majors)
})

it('the form for faults asks for statistics, state and events that exist', () => {
  const form = read('.github/ISSUE_TEMPLATE/fault.yml')
  expect(form).toContain('caches.stats()')
  expect(form).toContain('caches.status()')
  const [, list = ''] = /for \(const name of \[(.*?)\]/.exec(form) ?? []
  const asked = Array.from(list.matchAll(/'([\w-]+)'/g), ([, name]) => name ?? '')
  const events = read('packages/core/src/events/events.ts')
  expect(asked.length).toBeGreaterThan(3)
  for (const name of asked) expect(events).toMatch(new RegExp(`^ {2}'?${name}'?: `, 'm'))
})

it('the template of a pull request has five lines', () => {
  expect(read('.github/PULL_REQUEST_TEMPLATE.md').trim().split('\n')).toHaveLength(5)
})
