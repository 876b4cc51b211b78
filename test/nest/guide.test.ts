/** Code blocks of the pages about Nest compile, with the decorators that Nest takes. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { blocksOf, ROOT } from '../docs/pages.ts'

const PAGES = ['docs/guides/nest.md', 'packages/nest/README.md']
const FOLDER = join(import.meta.dirname, `blocks-${process.env['NEST']}`)

/** What blocks use without saying where it comes from. */
const PRELUDE = `
declare global {
  interface Product { readonly id: string }
  const db: { products: { find(id: string): Promise<Product | undefined> } }
}
export {}
`
const CONFIG =
  'export class ConfigModule {}\nexport class ConfigService { readonly redisUrl: string = "" }\n'
const AUTH = 'export class AuthGuard { canActivate(): boolean { return true } }\n'

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

it('code blocks compile', () => {
  mkdirSync(FOLDER, { recursive: true })
  const programs = PAGES.flatMap((page) => blocksOf(page, 'ts'))
  expect(programs.length).toBeGreaterThan(5)
  const files = { prelude: PRELUDE, config: CONFIG, auth: AUTH }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(FOLDER, `${name}.ts`), text)
  for (const [i, code] of programs.entries())
    writeFileSync(join(FOLDER, `block-${i}.ts`), `import './prelude'\n${code}\nexport {}\n`)
  const config = {
    extends: '../tsconfig.json',
    compilerOptions: { module: 'ESNext', moduleResolution: 'bundler' },
    include: ['*.ts'],
  }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  expect(compile()).toBe('')
})

/** What the compiler says. */
function compile(): string {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  try {
    return execFileSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error)
  }
}
