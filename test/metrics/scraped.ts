/** Reads what a registry prints, as strictly as a scraper does. */

export interface Family {
  readonly type: string
  readonly help: string
  /** By name and labels, as they are printed. */
  readonly samples: ReadonlyMap<string, number>
}

const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/

/** @throws Error for a line that is none, a sample outside its family, or a series that is there twice */
export function scraped(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family & { samples: Map<string, number> }>()
  let name = ''
  let help = ''
  for (const line of text.split('\n')) {
    if (line === '' || line === '# EOF') continue
    const [, keyword, subject = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') [name, help] = [subject, rest]
    else if (keyword === 'TYPE') {
      if (subject !== name || families.has(name)) throw new Error(`out of place: ${line}`)
      families.set(name, { type: rest, help, samples: new Map() })
    } else addSample(line, name, families.get(name))
  }
  return families
}

function addSample(line: string, name: string, family: Family | undefined): void {
  const [, sample = '', labels = '', number = ''] = SAMPLE.exec(line) ?? []
  const endings = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['', '_total']
  if (!endings.some((ending) => sample === `${name}${ending}`))
    throw new Error(`not of ${name}: ${line}`)
  const value = Number(number)
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`)
  const samples = family?.samples as Map<string, number>
  const series = sample + labels
  if (samples.has(series)) throw new Error(`twice: ${series}`)
  samples.set(series, value)
}

/** The sum of the samples whose text has all the parts. */
export function total(
  families: ReadonlyMap<string, Family>,
  name: string,
  ...parts: string[]
): number {
  const samples = [...(families.get(name)?.samples ?? [])]
  return samples
    .filter(([series]) => parts.every((part) => series.includes(part)))
    .reduce((sum, [, value]) => sum + value, 0)
}
