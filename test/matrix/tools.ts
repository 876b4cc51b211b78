/** The tools of the matrix: which versions, and where they are installed once for all runs on this machine. */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

const NODE_TYPES = { '@types/node': '^20.19.0' }
const JEST = { jest: '30.5.2', 'ts-jest': '29.4.15' }
const TYPESCRIPT = { typescript: '5.9.3', ...NODE_TYPES }

const FRAMEWORKS = {
  '@hono/node-server': '2.1.9',
  '@types/express': '5.0.6',
  express: '5.3.0',
  fastify: '5.12.8',
  hono: '4.13.19',
}
/** The last major for Node.js 20. */
const OPEN_TELEMETRY = {
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/context-async-hooks': '2.12.1',
  '@opentelemetry/sdk-metrics': '2.12.1',
  '@opentelemetry/sdk-trace-base': '2.12.1',
}
const PROMETHEUS = { '@prometheus-io/client': '0.16.1', 'prom-client': '15.1.3' }

/** A major of Nest: its version, and that of its health checks. */
function nest(version: string, terminus: string): Readonly<Record<string, string>> {
  return {
    '@nestjs/common': version,
    '@nestjs/core': version,
    '@nestjs/platform-express': version,
    '@nestjs/terminus': terminus,
    'reflect-metadata': '0.2.2',
    rxjs: '7.8.2',
  }
}

/** By set: what one project has in its dev-dependencies. Exact where it matters, so that a run fails for what we changed. */
export const TOOLS = {
  usual: { ...TYPESCRIPT, ...JEST, esbuild: '0.28.2', vitest: '4.1.12', vite: '8.4.0' },
  oldest: { typescript: '5.4.5', ...NODE_TYPES },
  newest: { typescript: '7.0.2', ...NODE_TYPES },
  vite7: { vitest: '4.1.12', vite: '7.3.8' },
  transpilers: {
    ...JEST,
    '@swc/core': '1.16.22',
    '@swc/jest': '0.2.39',
    '@babel/core': '7.29.13',
    '@babel/plugin-proposal-decorators': '^7.29.0',
    '@babel/preset-typescript': '^7.28.0',
    typescript: '5.9.3',
  },
  bullmq5: { ...TYPESCRIPT, bullmq: '5.81.5' },
  // Looks for its client beside itself, and not in the project below.
  bullmq6: { ...TYPESCRIPT, bullmq: '6.7.0', ioredis: '6.0.0' },
  frameworks: { ...TYPESCRIPT, ...FRAMEWORKS },
  tracing: { ...TYPESCRIPT, ...OPEN_TELEMETRY },
  tracing3: {
    ...TYPESCRIPT,
    '@opentelemetry/api': '1.10.0',
    '@opentelemetry/context-async-hooks': '3.1.1',
    '@opentelemetry/sdk-metrics': '3.1.1',
    '@opentelemetry/sdk-trace': '3.1.1',
  },
  scraping: { ...TYPESCRIPT, ...PROMETHEUS },
  application: {
    ...TYPESCRIPT,
    ...FRAMEWORKS,
    ...OPEN_TELEMETRY,
    ...PROMETHEUS,
    ...nest('12.5.1', '12.1.0'),
  },
  nest: { ...TYPESCRIPT, ...nest('11.2.10', '11.1.1') },
  nest12: { ...TYPESCRIPT, ...nest('12.5.1', '12.1.0') },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

export type ToolSet = keyof typeof TOOLS

const HOME = join(tmpdir(), `larder-matrix-${userInfo().username}`)

const folders = new Map<ToolSet, Promise<string>>()

/** Installs a set of tools unless an earlier run has, and returns its folder. */
export function installTools(set: ToolSet): Promise<string> {
  const folder = folders.get(set) ?? folderOf(set)
  folders.set(set, folder)
  return folder
}

async function folderOf(set: ToolSet): Promise<string> {
  const dependencies = TOOLS[set]
  const text = JSON.stringify({ private: true, dependencies }, undefined, 2)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const folder = join(HOME, `${set}-${hash}`)
  if (existsSync(folder)) return folder
  // Whole or not at all: another run may be doing the same.
  const draft = `${folder}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  writeFileSync(join(draft, 'package.json'), text)
  await install(draft)
  try {
    renameSync(draft, folder)
  } catch {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

/** Installs tarballs and more into a new project, as a user would. */
export async function installPackages(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await install(folder, packages)
}

async function install(folder: string, packages: readonly string[] = []): Promise<void> {
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--fetch-retries=1',
    '--loglevel=error',
  ]
  await run('npm', ['install', ...quiet, ...packages], { cwd: folder })
}
