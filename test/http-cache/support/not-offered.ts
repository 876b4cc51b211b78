/** Public tests that are not passed, by id, each with the reason. */

const AGE =
  'RFC 9111, 5.1: an Age that is no number is ignored, and of several the first counts. The test is of the time before, and later versions of it say so.'
const FRAMING =
  'The origin says another length than it sends, so that there is no response to keep.'
const COOKIE = 'A response that sets a cookie is not kept, unless its name is said not to matter.'
const CLOSED =
  'Where the origin closes its connection, a handler answers 502, and the test wants 200. That nothing stale is served is a test of our own.'
const NEWER =
  'RFC 9111, 3.2: what a 304 says of a response replaces what was stored. Later versions of the test do not require otherwise.'
const HEURISTIC = 'Nothing is guessed: a response is kept where it or its route says for how long.'
const STATUS = 'Kept are 200, 203, 301, 308, 404 and 410: others are seldom meant for all.'
const PARTIAL = 'Parts are not kept; they are served of what is kept as a whole.'
const LANGUAGE =
  'Values of a field are told apart as they are: what a handler makes of them is not known here.'
const REVALIDATION = 'A response with no-cache is not kept.'

/** Makes the entries of several tests with one reason. */
function because(reason: string, ...ids: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(ids.map((id) => [id, reason]))
}

/** `required` ones. */
export const NOT_REQUIRED_OF_US: Readonly<Record<string, string>> = {
  ...because(
    AGE,
    ...[
      'nonnumeric',
      'negative',
      'float',
      'prefix-twoline',
      'dup-0',
      'dup-0-twoline',
      'dup-old',
    ].map((what) => `age-parse-${what}`),
    'age-parse-parameter',
    'age-parse-numeric-parameter',
  ),
  ...because(
    CLOSED,
    'stale-close-must-revalidate',
    'stale-close-proxy-revalidate',
    'stale-close-no-cache',
    'stale-close-s-maxage=2',
  ),
  ...because(FRAMING, 'headers-store-Content-Length', '304-etag-update-response-Content-Length'),
  ...because(COOKIE, 'headers-store-Set-Cookie', '304-etag-update-response-Set-Cookie'),
  ...because(NEWER, '304-etag-update-response-Content-MD5', '304-etag-update-response-ETag'),
}

/** `optimal` ones. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  ...because(
    HEURISTIC,
    ...[200, 203, 204, 404, 405, 410, 414, 501, 599].map((status) => `heuristic-${status}-cached`),
    'conditional-lm-fresh-no-lm',
  ),
  ...because(
    STATUS,
    'method-POST',
    ...[204, 299, 302, 303, 307, 400, 499, 500, 502, 503, 504, 599].map(
      (status) => `status-${status}-fresh`,
    ),
  ),
  ...because(
    PARTIAL,
    'partial-store-partial-reuse-partial',
    'partial-store-partial-reuse-partial-byterange',
    'partial-store-partial-reuse-partial-absent',
    'partial-store-partial-reuse-partial-suffix',
    'partial-store-partial-complete',
  ),
  ...because(
    LANGUAGE,
    'vary-normalise-lang-order',
    'vary-normalise-lang-case',
    'vary-normalise-lang-select',
  ),
  ...because(REVALIDATION, 'cc-resp-no-cache-revalidate', 'cc-resp-no-cache-revalidate-fresh'),
  ...because(COOKIE, 'other-set-cookie'),
  ...because('A request with a cookie that is not keyed is one of a user.', 'other-cookie'),
}
