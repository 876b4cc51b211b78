/** What the README and "Getting started" tell a reader to write, in a project outside with packed packages. */

import { blocksOf } from '../../docs/pages.ts'
import type { Row } from '../rows.ts'

const GUIDE = 'docs/guides/getting-started.md'
const PACKAGE = JSON.stringify({ private: true, type: 'module' })

/** Files that blocks name in their first line; of those that the page changes, the last version. */
function filesOf(page: string): Readonly<Record<string, string>> {
  const named = [...blocksOf(page, 'ts'), ...blocksOf(page, 'json')].flatMap((block) => {
    const name = /^\/\/ (\S+)\n/.exec(block)?.[1]
    return name === undefined ? [] : [[name, block] as const]
  })
  return Object.fromEntries(named)
}

const [, products = ''] =
  /^echo '(.*)' > products\.json$/m.exec(blocksOf(GUIDE, 'sh').join('\n')) ?? []

export const pageRows: readonly Row[] = [
  {
    name: 'the first program of the README',
    tools: 'usual',
    isCore: true,
    sources: {},
    files: {
      'package.json': PACKAGE,
      'tsconfig.json': blocksOf('README.md', 'json')[0] ?? '',
      'app.ts': blocksOf('README.md', 'ts')[0] ?? '',
    },
    commands: [
      { line: ['tsc'] },
      { line: ['node', 'app.js'], prints: blocksOf('README.md', 'text')[0] ?? 'a block of text' },
    ],
  },
  {
    name: 'the files of getting started',
    tools: 'usual',
    isCore: true,
    sources: {},
    files: { ...filesOf(GUIDE), 'package.json': PACKAGE, 'products.json': products },
    commands: [
      { line: ['tsc'] },
      // With a Redis an earlier run may have left the value there, so only its end is the same.
      {
        line: ['node', 'first.js'],
        prints: "reading 42 from the database\n{ id: '42', price: 12 }",
      },
    ],
  },
]
