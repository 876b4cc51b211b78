/** The dashboard asks for what the plugin registers: all of it, with labels that are there. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  definitionOf,
  METRIC_IDS,
  METRICS,
  prometheusName,
} from '../../packages/plugins/src/metrics/definitions.ts'
import { ROOT } from '../docs/pages.ts'

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const FILE = join(ROOT, 'packages/plugins/dashboards/larder.json')
const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly definition?: string }[] }
}
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
)
const ids = new Map(METRIC_IDS.map((id) => [prometheusName(id, 'larder_'), id]))
const idOf = (name: string) => ids.get(name) ?? ids.get(name.replace(/_(bucket|sum|count)$/, ''))
const namesIn = (text: string): readonly string[] => text.match(/\blarder_\w+/g) ?? []

it('names no metric that the plugin does not register', () => {
  const asked = [
    ...queries.map(({ expr }) => expr),
    ...dashboard.templating.list.map(({ definition = '' }) => definition),
  ]
  for (const name of asked.flatMap(namesIn)) expect(idOf(name), name).toBeDefined()
})

it('shows every metric that the plugin registers', () => {
  const shown = new Set(queries.flatMap(({ expr }) => namesIn(expr)).map(idOf))
  expect([...shown].sort()).toEqual(Object.keys(METRICS).sort())
})

it.each(queries)('$title: $expr', ({ expr, legendFormat }) => {
  const used = [
    ...Array.from(expr.matchAll(/(\w+)(?:=~|!=|=)"/g), ([, label = '']) => label),
    ...Array.from(expr.matchAll(/by \(([^)]*)\)/g), ([, list = '']) => list.split(', ')).flat(),
    ...Array.from(legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label = '']) => label),
  ]
  for (const name of namesIn(expr)) {
    const id = idOf(name)
    const { labels, kind } = definitionOf(id ?? 'degraded')
    for (const label of used) expect(['namespace', 'le', ...labels], name).toContain(label)
    // A rate is of what only grows.
    expect(/rate\(/.test(expr), name).toBe(kind !== 'gauge')
  }
  expect(expr.split('(').length).toBe(expr.split(')').length)
})

it('has panels that do not overlap, with an id each', () => {
  const { panels } = dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})
