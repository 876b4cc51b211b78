/** Guides of what people plug in begin with what is not promised, and name an example that a test runs. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, readPage } from './pages.ts'

/** By guide: its examples. */
const GUIDES: Readonly<Record<string, readonly string[]>> = {
  compression: ['compression'],
  encryption: ['encryption'],
  metrics: ['metrics'],
  tracing: ['tracing'],
  logging: ['logging'],
  'http-limits': [],
  express: ['express'],
  fastify: ['fastify'],
  hono: ['hono'],
  sessions: ['site-express', 'site-hono'],
  nest: ['nest'],
}
const FIRST_LINES = 4
const TESTS = [
  'test/guides/examples.test.ts',
  'test/guides/frameworks.test.ts',
  'test/guides/sites.test.ts',
  'test/nest/example.test.ts',
]

describe.each(Object.entries(GUIDES))('%s', (guide, examples) => {
  const page = readPage(`docs/guides/${guide}.md`)

  it('begins with what it does not promise', () => {
    const [title, , ...lines] = page.split('\n')
    expect(title).toMatch(/^# /)
    expect(lines.slice(0, FIRST_LINES).join('\n')).toMatch(/not\** promise/i)
  })

  it.each(examples)('names its example %s, which a test runs', (example) => {
    expect(page).toContain(`../../examples/${example}`)
    expect(existsSync(join(ROOT, 'examples', example, 'README.md'))).toBe(true)
    expect(readPage('README.md')).toContain(`](examples/${example})`)
    const tests = TESTS.map(readPage).join('\n')
    const isRun = example === 'nest' || new RegExp(`(?:'|^ {2})${example}(?:'|:)`, 'm').test(tests)
    expect(isRun).toBe(true)
  })
})
