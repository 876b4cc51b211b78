/** What a person sees: headings, progress, and a table at the end. */

const isTerminal = process.stdout.isTTY === true

export function heading(text: string): void {
  process.stdout.write(`\n${isTerminal ? `\u001b[1m${text}\u001b[0m` : text}\n`)
}

let chapters = 0

/** A heading with the next number. */
export function chapter(text: string): void {
  chapters += 1
  heading(`${chapters}  ${text}`)
}

export function line(text: string): void {
  process.stdout.write(`  ${text}\n`)
}

/** Shows progress in place on a terminal; elsewhere only its end. */
export function progress(what: string, share: number): void {
  const percent = `${Math.round(share * 100)} %`.padStart(5)
  if (isTerminal) process.stdout.write(`\r  ${what} ${percent}${share >= 1 ? '\n' : ''}`)
  else if (share >= 1) line(`${what} ${percent}`)
}

export function ms(duration: number): string {
  if (duration >= 100) return `${duration.toFixed(0)} ms`
  return duration >= 1 ? `${duration.toFixed(1)} ms` : `${(duration * 1_000).toFixed(1)} µs`
}

/** Prints rows of two columns. */
export function table(rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) line(`${name.padEnd(width)}  ${value}`)
}
