/** The guides list what the plugins register and log. */

import { expect, it } from 'vitest'
import { LOGGED_EVENTS } from '../../packages/plugins/src/logging/lines.ts'
import {
  METRIC_IDS,
  METRICS,
  prometheusName,
} from '../../packages/plugins/src/metrics/definitions.ts'
import { codeIn, readPage, rowsOf, sectionOf } from '../docs/pages.ts'

it('metrics: each with its labels and its help', () => {
  const listed = rowsOf(sectionOf('docs/guides/metrics.md', '## Prometheus')).map(
    ([name, labels, help]) => [codeIn(name)[0], codeIn(labels), help],
  )
  const known = METRIC_IDS.map((id) => {
    const { labels, help } = METRICS[id]
    return [prometheusName(id, 'larder_'), [...labels], help]
  })
  expect(listed).toEqual(known)
})

it('metrics: alerts are on metrics that there are', () => {
  const names = new Set(METRIC_IDS.map((id) => prometheusName(id, 'larder_')))
  const asked = sectionOf('docs/guides/metrics.md', '## Alerts').match(/\blarder_\w+/g) ?? []
  expect(asked.length).toBeGreaterThan(3)
  for (const name of asked) expect(names, name).toContain(name)
})

it('logging: every event that has lines', () => {
  const listed = rowsOf(readPage('docs/guides/logging.md')).flatMap(([events]) => codeIn(events))
  expect(listed.sort()).toEqual([...LOGGED_EVENTS].sort())
})
