/** Words: each of the glossary occurs where it says, and phrases that readers stumble over occur nowhere. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALL_PAGES, codeIn, ROOT, readPage, rowsOf } from './pages.ts'

/** Phrases, and what to write instead. */
const BANNED: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [
    /\b(one|a copy) (\w+ )?an? (hit|miss|call|key|chunk|partition|minute|process|node|tick)\b/i,
    'per',
  ],
  [/\bone (flight|entry|codec|event|reply|timer|listener|pipeline|file) an? \w+/i, 'per'],
  [
    /\bis no (known|option|entry|message|outage|promise|list|key|text|cache|mistake|part|child|error)\b/i,
    'is not a',
  ],
  [/\byields? \w+ an? (chunk|call|key|step)\b/i, 'after each'],
  [/\b(are|is|was|were) no (news|objects?|good)\b|\bcounts? as no\b/i, 'is not'],
  [/\btak(e|es|en|ing) down\b/i, 'note'],
  [/\b(dis)?believed\b/i, 'trusted'],
  [/\bslip of the pen\b|\bwithin a blink\b|\bherd of\b/i, 'a plain word'],
  [/\b(policy|user|store|partition)'s word\b/i, 'what it says'],
  [/\b(negative|and|or) no number\b|\bonce an? (case|call|key|node)\b/i, 'not a; once per'],
  [/\bwithout a word\b|\bsays so to everybody\b/i, 'silently; tells all nodes'],
  [/\bfound wanting\b/i, 'could not be used'],
  [/\ba pity\b/i, 'what is lost'],
  [/\bspeaks? for (them|all)\b/i, 'tells it'],
  [/\bnobody's\b/i, 'a plain verb'],
  [/\bnobody (can say|can tell|knows)\b/i, 'it is unknown'],
  [/\btoo dear\b|\bdearer\b|\bis dear\b/i, 'expensive'],
  [/\bpunish/i, 'penalize'],
  [/\bbeen seen to\b|\bsees? to it\b/i, 'handled'],
  [/\bwhoever\b/i, 'a caller that'],
  [/\bworth while\b/i, 'worthwhile'],
  [/\bnobody says otherwise\b/i, 'the defaults'],
  [/\b(trusts?|believes?) (anybody|everybody)\b/i, 'trusts every proxy'],
  [
    /\bnobody (can be asked|waits for an answer|has said)\b/i,
    'what is missing: a terminal, a client, an option',
  ],
  [/\/\*\* So many \w/, 'How many … at most'],
  [/\bPROTOCOL\b|recommended mechanism/, 'docs/design/coherence.md'],
]

const sources = filesIn(join(ROOT, 'packages')).filter(
  (file) => /\/src\/.*\.ts$/.test(file) && !/\.test\.ts$|\.generated\.ts$/.test(file),
)

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

/** Comments and long texts wrap, so that a phrase may begin on one line and end on the next. */
function proseOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/\n\s*(\*|\/\/)?\s*/g, ' ')
}

describe('the glossary', () => {
  const rows = rowsOf(readPage('docs/glossary.md'))

  it('has a line for each word, and each word once', () => {
    const words = rows.flatMap(([cell = '']) => cell.split(', '))
    expect(words.length).toBeGreaterThan(40)
    expect(new Set(words).size).toBe(words.length)
  })

  it.each(rows.map(([word = '', , where]) => [word, codeIn(where)[0] ?? ''] as const))(
    '%s is a word of the code in %s',
    (words, where) => {
      const path = join(ROOT, where)
      const files = statSync(path).isDirectory()
        ? sources.filter((file) => file.startsWith(`${path}/`))
        : [path]
      const text = files.map(proseOf).join(' ').toLowerCase()
      for (const word of words.split(', ')) {
        expect(text.replaceAll(/[- ]/g, ''), word).toContain(word.replaceAll(/[- ]/g, ''))
      }
    },
  )

  it('is linked from CONTRIBUTING', () => {
    expect(readPage('CONTRIBUTING.md')).toContain('(docs/glossary.md)')
  })
})

describe('phrases that readers stumble over', () => {
  // CONTRIBUTING shows some of them, as what not to write.
  const pages = ALL_PAGES.filter((page) => page !== 'CONTRIBUTING.md').map((page) =>
    join(ROOT, page),
  )

  it.each(BANNED)('%s: write "%s"', (phrase) => {
    const found = [...sources, ...pages].flatMap((file) => {
      const match = phrase.exec(proseOf(file))
      return match === null ? [] : [`${file.slice(ROOT.length + 1)}: ${match[0]}`]
    })
    expect(found).toEqual([])
  })
})

describe('what is said of locks and limits', () => {
  const prose = (file: string): string => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    return file.endsWith('.md') ? sentencesOf(text) : commentsOf(text)
  }
  const files = [
    ...sources
      .filter((file) => /\/(locks?|limits)\//.test(file))
      .map((file) => file.slice(ROOT.length + 1)),
    ...['guides/locks', 'guides/limits', 'design/locks', 'design/limits'].map(
      (page) => `docs/${page}.md`,
    ),
  ]

  it.each(files)('a lock or a permit has a term, and `lease` is only the option: %s', (file) => {
    const said = prose(file).replaceAll(/`[^`\n]*`/g, '')
    expect(said.match(/.*\bleases?\b.*/gi) ?? []).toEqual([])
  })

  function commentsOf(source: string): string {
    const lines = source.match(/^\s*(\/\*\*|\*|\/\/).*$/gm) ?? []
    return lines.filter((line) => !line.includes('@example')).join('\n')
  }

  function sentencesOf(page: string): string {
    return page.replaceAll(/^```[\s\S]*?^```/gm, '')
  }
})
