/** The page of the command line, from its own table: what `--help` prints is made of the same. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const TABLE = 'packages/cli/src/command-table.ts'

const HEAD = `# The command line

What \`larder\` takes. [The guide](../guides/command-line.md) says how Redis is found, what is never printed, and what the exit codes mean.
Made from the table of commands by \`npm run reference\`; \`--help\` is made from the same.
`

/** The text of the page. */
export function commandLinePage(root) {
  const { COMMANDS, GLOBAL_OPTIONS } = tableOf(root)
  return `${[
    HEAD,
    '## Options of every command\n',
    optionTable(GLOBAL_OPTIONS),
    ...COMMANDS.map(section),
  ].join('\n')}\n`
}

/** The table is TypeScript, which is run in a process of its own. */
function tableOf(root) {
  const table = pathToFileURL(join(root, TABLE)).href
  const script = `import(${JSON.stringify(table)}).then((it) => console.log(JSON.stringify(it)))`
  const args = ['--conditions=larder-source', '--import', 'tsx', '--eval', script]
  const cwd = join(root, 'test')
  return JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }))
}

function section({ name, summary, more, takes = [], options = [], examples }) {
  const words = takes.map(({ name: word, isMany, isOptional }) => {
    const text = isMany ? `${word}...` : word
    return isOptional ? `[${text}]` : text
  })
  return [
    `\n## \`${['larder', name, ...words].join(' ')}\`\n`,
    `${summary}.${more === undefined ? '' : ` ${more}`}\n`,
    '```sh',
    ...examples.map(([line, meaning]) => `${line}   # ${meaning}`),
    '```',
    ...(options.length === 0 ? [] : ['', optionTable(options)]),
  ].join('\n')
}

function optionTable(options) {
  const rows = options.map(({ name, short, value, meaning }) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`
    const text = short === undefined ? long : `-${short}, ${long}`
    return `| \`${text}\` | ${meaning.replaceAll('|', '\\|')} |`
  })
  return ['| option | meaning |', '|---|---|', ...rows].join('\n')
}
