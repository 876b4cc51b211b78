/** HTTP dates (RFC 9110, 5.6.7), in the three forms that a recipient has to understand, and in no other; in any case (RFC 9111, 4.2). */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const LONG_DAY = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'
const MONTH = `(${MONTHS.join('|')})`
/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const USUAL = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`, 'i')
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const OLD = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`, 'i')
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i')

const YEARS_AHEAD = 50

/** Returns the instant, ms since the epoch; `undefined` for what is no date. */
export function readDate(text: string, nowMs: number): number | undefined {
  const usual = USUAL.exec(text)
  if (usual !== null) {
    const [, day, month, year, ...time] = usual
    return instant([Number(year), month, Number(day)], time)
  }
  const old = OLD.exec(text)
  if (old !== null) {
    const [, day, month, year, ...time] = old
    return instant([fullYear(Number(year), nowMs), month, Number(day)], time)
  }
  const asctime = ASCTIME.exec(text)
  if (asctime === null) return undefined
  const [, month, day, hours, minutes, seconds, year] = asctime
  return instant([Number(year), month, Number(day)], [hours, minutes, seconds])
}

function instant(
  [year, month = '', day]: readonly [number, string | undefined, number],
  time: readonly (string | undefined)[],
): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number)
  if (day < 1 || day > 31 || hours > 23 || minutes > 59 || seconds > 60) return undefined
  return Date.UTC(year, MONTHS.indexOf(month.toLowerCase()), day, hours, minutes, seconds)
}

/** A year of two digits that seems to be more than 50 years ahead is in the past. */
function fullYear(short: number, nowMs: number): number {
  const now = new Date(nowMs).getUTCFullYear()
  const guess = now - (now % 100) + short
  return guess > now + YEARS_AHEAD ? guess - 100 : guess
}
