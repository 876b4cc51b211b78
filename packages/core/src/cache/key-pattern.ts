/** Patterns of keys: `*` stands for any run of characters, `?` for one. */

/** The pattern up to its first wildcard, so that a scan can skip what cannot match. */
export function literalBeginning(pattern: string): string {
  return /^[^*?]*/.exec(pattern)?.[0] ?? ''
}

/** Matches by walking, not by regular expression: a hostile pattern must not be able to take exponential time. */
export function patternMatcher(pattern: string): (text: string) => boolean {
  return (text) => {
    let at = 0
    let from = 0
    let star = -1
    let resume = 0
    while (at < text.length) {
      if (pattern[from] === '?' || (pattern[from] === text[at] && pattern[from] !== '*')) {
        at += 1
        from += 1
      } else if (pattern[from] === '*') {
        star = from
        resume = at
        from += 1
      } else if (star >= 0) {
        from = star + 1
        resume += 1
        at = resume
      } else return false
    }
    while (pattern[from] === '*') from += 1
    return from === pattern.length
  }
}
